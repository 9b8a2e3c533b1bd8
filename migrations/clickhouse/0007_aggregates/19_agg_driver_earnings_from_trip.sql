CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.agg_driver_earnings_from_trip TO {{database}}.agg_driver_earnings_state{{local}} AS
SELECT mark, max(if(mark = toUUID('00000000-0000-0000-0000-000000000000'), toDateTime(0, 'UTC'), toDateTime(decided_at))) AS marked_at,
    scope, toStartOfFifteenMinutes(toDateTime(event_timestamp)) AS slot, driver_id, state, city,
    countIf(event_type = 'trip.completed') AS trips,
    sum(ifNull(driver_earnings, toDecimal64(0, 2))) AS earnings,
    sum(toUInt64(floor(ifNull(distance_km, 0) * 1000) + (ifNull(distance_km, 0) * 1000 - floor(ifNull(distance_km, 0) * 1000) >= 0.5))) AS distance_m,
    countIf(ifNull(punctual, false)) AS on_time
FROM
(
    SELECT * EXCEPT (state, city, on_time), on_time AS punctual, arrayJoin(multiIf(mark != toUUID('00000000-0000-0000-0000-000000000000'), ['total'], phase = 'settle', ['region'], region_settled, ['total', 'region'], ['total']))::Enum8('total' = 0, 'region' = 1) AS scope,
        if(scope = 'region', state, '') AS state, if(scope = 'region', city, '') AS city
    FROM {{database}}.in_trip
)
WHERE event_type = 'trip.completed' OR mark != toUUID('00000000-0000-0000-0000-000000000000')
GROUP BY mark, scope, slot, driver_id, state, city
