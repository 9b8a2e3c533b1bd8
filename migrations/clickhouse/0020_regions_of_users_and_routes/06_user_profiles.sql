-- One row per user, whatever parts say of it: first registration, role and region at it, KYC statuses, first upgrade.
-- Cheaper than a GROUP BY over `users`, since parts are merged in the order of their key. Without `materialize` only
-- the elements that are asked for would be read, and FINAL would merge each of them by itself.
CREATE OR REPLACE VIEW {{database}}.user_profiles AS
SELECT user_id, registered_at, tupleElement(materialize(home) AS first, 'role') AS role, tupleElement(first, 'state') AS state,
    tupleElement(first, 'city') AS city, materialize(kyc_latest) AS kyc_latest, materialize(kyc_ahead) AS kyc_ahead, upgraded_at
FROM {{database}}.users_state FINAL
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND scope = 'total'
