CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.booking_seats_from_booking TO {{database}}.booking_seats_state{{local}} AS
SELECT mark, max(if(mark = toUUID('00000000-0000-0000-0000-000000000000'), toDateTime(0, 'UTC'), toDateTime(decided_at))) AS marked_at,
    scope, route_id, booking_id, state, city,
    maxIf(scheduled_departure, event_type = 'booking.created') AS departure,
    maxIf(ifNull(seats_booked, 0), event_type = 'booking.created') AS seats,
    toUInt8(max(event_type = 'booking.confirmed')) AS confirmed,
    toUInt8(max(event_type = 'booking.cancelled')) AS cancelled
FROM
(
    SELECT * EXCEPT (state, city), arrayJoin(multiIf(mark != toUUID('00000000-0000-0000-0000-000000000000'), ['total'], phase = 'settle', ['region'], region_settled, ['total', 'region'], ['total']))::Enum8('total' = 0, 'region' = 1) AS scope,
        if(scope = 'region', state, '') AS state, if(scope = 'region', city, '') AS city
    FROM {{database}}.in_booking
)
GROUP BY mark, scope, route_id, booking_id, state, city
