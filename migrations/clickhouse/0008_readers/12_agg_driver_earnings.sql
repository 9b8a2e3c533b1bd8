-- `unknown` is the total less what is settled in a known region, so that regions always add up to the total.
CREATE VIEW IF NOT EXISTS {{database}}.agg_driver_earnings AS
SELECT slot, driver_id, part.1 AS state, part.2 AS city,
    sum(part.3 * toInt64(trips)) AS total_trips, sum(part.3 * earnings) AS total_earnings,
    sum(part.3 * toInt64(distance_m)) / 1000 AS total_distance_km, sum(part.3 * toInt64(on_time)) AS on_time_trips
FROM
(
    SELECT slot, driver_id, trips, earnings, distance_m, on_time, arrayJoin(multiIf(
        scope = 'total', [('unknown', 'unknown', 1)],
        state = 'unknown', []::Array(Tuple(String, String, Int8)),
        [(toString(state), toString(city), 1), ('unknown', 'unknown', -1)])) AS part
    FROM {{database}}.agg_driver_earnings_state
    WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
)
GROUP BY slot, driver_id, state, city
HAVING total_trips != 0
