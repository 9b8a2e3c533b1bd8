CREATE VIEW IF NOT EXISTS {{database}}.trip_progress AS
SELECT * EXCEPT (mark, marked_at)
FROM {{database}}.trip_progress_state
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
