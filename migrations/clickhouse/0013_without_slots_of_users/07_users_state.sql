-- The plain columns hold the same.
ALTER TABLE {{database}}.users_state{{local}} DROP COLUMN IF EXISTS registration, DROP COLUMN IF EXISTS kyc
