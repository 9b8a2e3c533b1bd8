ALTER TABLE {{database}}.agg_trips_from_trip MODIFY QUERY
SELECT mark, max(if(mark = toUUID('00000000-0000-0000-0000-000000000000'), toDateTime(0, 'UTC'), toDateTime(decided_at))) AS marked_at,
    scope, toStartOfFifteenMinutes(toDateTime(event_timestamp)) AS slot, state, city,
    countIf(event_type = 'trip.started') AS started,
    countIf(event_type = 'trip.completed') AS completed,
    countIf(event_type = 'trip.cancelled') AS cancelled,
    sumIf(ifNull(duration, 0), event_type = 'trip.completed') AS duration_minutes,
    sumIf(toUInt64(floor(ifNull(distance_km, 0) * 1000) + (ifNull(distance_km, 0) * 1000 - floor(ifNull(distance_km, 0) * 1000) >= 0.5)), event_type = 'trip.completed') AS distance_m,
    countIf(event_type = 'trip.completed' AND ifNull(punctual, false)) AS on_time,
    sumIf(ifNull(earnings, toDecimal64(0, 2)), event_type = 'trip.completed') AS driver_earnings,
    sumIf(ifNull(commission, toDecimal64(0, 2)), event_type = 'trip.completed') AS platform_commission,
    groupUniqArrayIf(driver_id, mark = toUUID('00000000-0000-0000-0000-000000000000')) AS driver_ids
FROM
(
    SELECT * EXCEPT (state, city, duration_minutes, on_time, driver_earnings, platform_commission), duration_minutes AS duration, on_time AS punctual, driver_earnings AS earnings, platform_commission AS commission, arrayJoin(multiIf(mark != toUUID('00000000-0000-0000-0000-000000000000'), ['total'], phase = 'settle', ['region'], region_settled, ['total', 'region'], ['total']))::Enum8('total' = 0, 'region' = 1) AS scope,
        if(scope = 'region', state, '') AS state, if(scope = 'region', city, '') AS city
    FROM {{database}}.in_trip
)
GROUP BY mark, scope, slot, state, city
