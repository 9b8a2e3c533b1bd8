CREATE VIEW IF NOT EXISTS {{database}}.booking_seats AS
SELECT * EXCEPT (mark, marked_at)
FROM {{database}}.booking_seats_state
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
