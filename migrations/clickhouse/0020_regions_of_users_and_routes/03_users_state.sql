INSERT INTO {{database}}.users_state_by_region{{local}} (mark, marked_at, scope, user_id, registered_at, upgraded_at, home, kyc_latest, kyc_ahead)
SELECT mark, marked_at, 'total', user_id, registered_at, upgraded_at, home, kyc_latest, kyc_ahead
FROM {{database}}.users_state{{local}}
SETTINGS insert_deduplicate = 0
