CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.agg_bookings_from_booking TO {{database}}.agg_bookings_state{{local}} AS
SELECT mark, max(if(mark = toUUID('00000000-0000-0000-0000-000000000000'), toDateTime(0, 'UTC'), toDateTime(decided_at))) AS marked_at,
    scope, toStartOfFifteenMinutes(toDateTime(event_timestamp)) AS slot, state, city,
    countIf(event_type = 'booking.created') AS created,
    countIf(event_type = 'booking.confirmed') AS confirmed,
    countIf(event_type = 'booking.cancelled') AS cancelled,
    countIf(event_type = 'booking.completed') AS completed,
    sumIf(ifNull(total_price, toDecimal64(0, 2)), event_type = 'booking.confirmed') AS confirmed_value
FROM
(
    SELECT * EXCEPT (state, city), arrayJoin(multiIf(mark != toUUID('00000000-0000-0000-0000-000000000000'), ['total'], phase = 'settle', ['region'], region_settled, ['total', 'region'], ['total']))::Enum8('total' = 0, 'region' = 1) AS scope,
        if(scope = 'region', state, '') AS state, if(scope = 'region', city, '') AS city
    FROM {{database}}.in_booking
)
GROUP BY mark, scope, slot, state, city
