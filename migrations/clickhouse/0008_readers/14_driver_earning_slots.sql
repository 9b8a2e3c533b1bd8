-- The completed trips of each driver with their scope, for readers that want the total or one region of it.
CREATE VIEW IF NOT EXISTS {{database}}.driver_earning_slots AS
SELECT * EXCEPT (mark, marked_at)
FROM {{database}}.agg_driver_earnings_state
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
