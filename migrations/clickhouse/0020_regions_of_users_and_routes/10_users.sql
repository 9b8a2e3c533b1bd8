CREATE OR REPLACE VIEW {{database}}.users AS
SELECT * EXCEPT (mark, marked_at)
FROM {{database}}.users_state
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
