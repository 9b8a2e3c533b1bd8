-- Who may ask for what, and who did what.

CREATE TABLE api_key (
    id           uuid        PRIMARY KEY,
    name         text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    role         text        NOT NULL CHECK (role IN ('viewer', 'analyst', 'admin')),
    -- the places that it sees; all of them without a list
    regions      jsonb       CHECK (jsonb_typeof(regions) = 'array' AND regions <> '[]'),
    may_read_pii boolean     NOT NULL,
    created_at   timestamptz NOT NULL,
    created_by   text        NOT NULL CHECK (char_length(created_by) BETWEEN 1 AND 300),
    expires_at   timestamptz,
    revoked_at   timestamptz
);

-- What is shown of a key. While it is rotated, it has several.
CREATE TABLE api_key_secret (
    -- SHA-256 of the whole text, which is stored nowhere
    hash       bytea       PRIMARY KEY CHECK (octet_length(hash) = 32),
    key_id     uuid        NOT NULL REFERENCES api_key (id),
    -- the first characters of the text; too few to be of use to anybody else
    hint       text        NOT NULL CHECK (char_length(hint) BETWEEN 1 AND 20),
    created_at timestamptz NOT NULL,
    expires_at timestamptz
);
CREATE INDEX api_key_secret_of_key ON api_key_secret (key_id);
-- all but one of a key's come to an end
CREATE UNIQUE INDEX api_key_secret_one_without_end ON api_key_secret (key_id) WHERE expires_at IS NULL;

CREATE TABLE audit_entry (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor      text        NOT NULL CHECK (char_length(actor) BETWEEN 1 AND 300),
    action     text        NOT NULL CHECK (char_length(action) BETWEEN 1 AND 100),
    -- what it was done to
    subject    text        NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 300),
    request_id text        CHECK (char_length(request_id) BETWEEN 1 AND 200),
    detail     jsonb       NOT NULL CHECK (jsonb_typeof(detail) = 'object')
);
CREATE INDEX audit_entry_of_subject ON audit_entry (subject, id);
CREATE INDEX audit_entry_by_time ON audit_entry (at);

CREATE FUNCTION refuse_to_change_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_entry is append-only: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER audit_entry_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_audit();
