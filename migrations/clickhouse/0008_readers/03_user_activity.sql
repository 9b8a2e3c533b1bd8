CREATE VIEW IF NOT EXISTS {{database}}.user_activity AS
SELECT * EXCEPT (mark, marked_at)
FROM {{database}}.user_activity_state
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
