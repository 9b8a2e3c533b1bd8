-- `unknown` is the total less what is settled in a known region, so that regions always add up to the total.
CREATE VIEW IF NOT EXISTS {{database}}.agg_popular_routes AS
SELECT slot, route_id, part.1 AS state, part.2 AS city,
    sum(part.3 * toInt64(bookings)) AS total_bookings, sum(part.3 * revenue) AS total_revenue
FROM
(
    SELECT slot, route_id, bookings, revenue, arrayJoin(multiIf(
        scope = 'total', [('unknown', 'unknown', 1)],
        state = 'unknown', []::Array(Tuple(String, String, Int8)),
        [(toString(state), toString(city), 1), ('unknown', 'unknown', -1)])) AS part
    FROM {{database}}.agg_popular_routes_state
    WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
)
GROUP BY slot, route_id, state, city
HAVING total_bookings != 0 OR total_revenue != 0
