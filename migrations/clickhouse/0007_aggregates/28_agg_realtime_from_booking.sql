CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.agg_realtime_from_booking TO {{database}}.agg_realtime_state{{local}} AS
SELECT mark, max(if(mark = toUUID('00000000-0000-0000-0000-000000000000'), toDateTime(0, 'UTC'), toDateTime(decided_at))) AS marked_at,
    scope, toDateTime(intDiv(toUnixTimestamp64Milli(event_timestamp) + 999, 1000), 'UTC') AS second, state, city,
    uniqExactArrayStateIf([rider_id, driver_id], mark = toUUID('00000000-0000-0000-0000-000000000000')) AS users,
    countIf(event_type = 'booking.created') AS bookings_created
FROM
(
    SELECT * EXCEPT (state, city), arrayJoin(multiIf(mark != toUUID('00000000-0000-0000-0000-000000000000'), ['total'], phase = 'settle', ['region'], region_settled, ['total', 'region'], ['total']))::Enum8('total' = 0, 'region' = 1) AS scope,
        if(scope = 'region', state, '') AS state, if(scope = 'region', city, '') AS city
    FROM {{database}}.in_booking
)
WHERE (NOT clock_skew AND event_timestamp > decided_at - INTERVAL 1 DAY) OR mark != toUUID('00000000-0000-0000-0000-000000000000')
GROUP BY mark, scope, second, state, city
