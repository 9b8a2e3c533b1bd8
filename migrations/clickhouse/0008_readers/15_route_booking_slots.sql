-- The confirmed bookings of each route with their scope, for readers that want the total or one region of it.
CREATE VIEW IF NOT EXISTS {{database}}.route_booking_slots AS
SELECT * EXCEPT (mark, marked_at)
FROM {{database}}.agg_popular_routes_state
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
