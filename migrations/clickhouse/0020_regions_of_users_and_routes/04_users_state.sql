-- Whatever is known of a user so far belongs to the region of the first registration.
INSERT INTO {{database}}.users_state_by_region{{local}} (mark, marked_at, scope, state, city, user_id, registered_at, upgraded_at, home, kyc_latest, kyc_ahead)
SELECT mark, marked_at, 'region', tupleElement(known_home, 'state'), tupleElement(known_home, 'city'), user_id, registered_at, upgraded_at, known_home, kyc_latest, kyc_ahead
FROM
(
    SELECT mark, marked_at, user_id, registered_at, upgraded_at, materialize(home) AS known_home, materialize(kyc_latest) AS kyc_latest, kyc_ahead
    FROM {{database}}.users_state{{local}} FINAL
    WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
)
WHERE registered_at IS NOT NULL AND tupleElement(known_home, 'state') != ''
SETTINGS insert_deduplicate = 0
