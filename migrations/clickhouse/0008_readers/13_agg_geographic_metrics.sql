-- `unknown` is the total less what is settled in a known region, so that regions always add up to the total.
-- Nothing is stored twice for it: it reads the regional family of bookings, payments (NGN) and trips.
CREATE VIEW IF NOT EXISTS {{database}}.agg_geographic_metrics AS
SELECT slot, part.1 AS state, part.2 AS city,
    sum(part.3 * toInt64(bookings_created)) AS bookings_created, sum(part.3 * toInt64(bookings_confirmed)) AS bookings_confirmed,
    sum(part.3 * toInt64(payments_success)) AS payments_success, sum(part.3 * revenue) AS revenue,
    sum(part.3 * toInt64(trips_completed)) AS trips_completed
FROM
(
    SELECT slot, arrayJoin(multiIf(
        scope = 'total', [('unknown', 'unknown', 1)],
        state = 'unknown', []::Array(Tuple(String, String, Int8)),
        [(toString(state), toString(city), 1), ('unknown', 'unknown', -1)])) AS part, bookings_created, bookings_confirmed, payments_success, revenue, trips_completed
    FROM
    (
        SELECT scope, slot, state, city, created AS bookings_created, confirmed AS bookings_confirmed,
            0 AS payments_success, toDecimal128(0, 2) AS revenue, 0 AS trips_completed
        FROM {{database}}.agg_bookings
        UNION ALL
        SELECT scope, slot, state, city, 0, 0, succeeded, toDecimal128(revenue, 2), 0
        FROM {{database}}.agg_payments
        WHERE currency = 'NGN'
        UNION ALL
        SELECT scope, slot, state, city, 0, 0, 0, toDecimal128(0, 2), completed
        FROM {{database}}.agg_trips
    )
)
GROUP BY slot, state, city
HAVING bookings_created != 0 OR bookings_confirmed != 0 OR payments_success != 0 OR trips_completed != 0
