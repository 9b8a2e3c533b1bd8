-- One row per user, whatever parts say of it: first registration, role and region at it, latest KYC status, first
-- upgrade. Cheaper than a GROUP BY over `users`, since parts are merged in the order of their key.
CREATE VIEW IF NOT EXISTS {{database}}.user_profiles AS
SELECT user_id, registered_at, finalizeAggregation(registration) AS home, finalizeAggregation(kyc) AS kyc_status, upgraded_at
FROM {{database}}.users_state FINAL
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
