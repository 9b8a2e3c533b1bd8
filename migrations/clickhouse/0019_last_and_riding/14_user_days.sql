CREATE OR REPLACE VIEW {{database}}.user_days AS
SELECT scope, state, city, day, user_id, slots, rode, last_at
FROM {{database}}.user_days_state
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
