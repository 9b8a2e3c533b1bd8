CREATE OR REPLACE VIEW {{database}}.route_profiles AS
SELECT * EXCEPT (mark, marked_at)
FROM {{database}}.route_profiles_state
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
