ALTER TABLE {{database}}.user_days_from_trip MODIFY QUERY
SELECT mark, max(if(mark = toUUID('00000000-0000-0000-0000-000000000000'), toDateTime(0, 'UTC'), toDateTime(decided_at))) AS marked_at,
    scope, state, city, toDate(event_timestamp) AS day, arrayJoin([rider_id, driver_id]) AS user_id,
    groupBitOr(bitShiftLeft(toUInt128(1), intDiv(toUnixTimestamp(event_timestamp) % 86400, 900))) AS slots,
    groupBitOr(if(event_type = 'trip.cancelled', toUInt128(0), bitShiftLeft(toUInt128(1), intDiv(toUnixTimestamp(event_timestamp) % 86400, 900)))) AS rode, max(event_timestamp) AS last_at
FROM
(
    SELECT * EXCEPT (state, city), arrayJoin(multiIf(mark != toUUID('00000000-0000-0000-0000-000000000000'), ['total'], phase = 'settle', ['region'], region_settled, ['total', 'region'], ['total']))::Enum8('total' = 0, 'region' = 1) AS scope,
        if(scope = 'region', state, '') AS state, if(scope = 'region', city, '') AS city
    FROM {{database}}.in_trip
)
GROUP BY mark, scope, state, city, day, user_id
