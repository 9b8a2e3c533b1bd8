DROP TABLE audit_entry;
DROP FUNCTION refuse_to_change_audit();
DROP TABLE api_key_secret;
DROP TABLE api_key;
