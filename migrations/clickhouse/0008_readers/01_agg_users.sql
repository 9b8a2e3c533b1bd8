CREATE VIEW IF NOT EXISTS {{database}}.agg_users AS
SELECT * EXCEPT (mark, marked_at)
FROM {{database}}.agg_users_state
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
