CREATE OR REPLACE VIEW {{database}}.users AS
SELECT user_id, registered_at, home, kyc_latest, kyc_ahead, upgraded_at
FROM {{database}}.users_state
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
