diesel::table! {
    ingest_lane (topic, partition) {
        topic -> Text,
        partition -> Integer,
        first_offset -> BigInt,
        next_offset -> BigInt,
        epoch -> BigInt,
        owner -> Nullable<Text>,
        open_batch -> Nullable<Uuid>,
        end_offset -> Nullable<BigInt>,
        complete_through -> Nullable<Timestamptz>,
        heartbeat_at -> Nullable<Timestamptz>,
        stopped_reason -> Nullable<Text>,
        retired_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    carried_topic (topic, domain) {
        topic -> Text,
        domain -> Text,
    }
}

diesel::table! {
    ingest_batch (id) {
        id -> Uuid,
        owner -> Text,
        codec -> Integer,
        decided_at -> Timestamptz,
        dedup_window -> BigInt,
        age_limits -> Jsonb,
        attempt -> Integer,
        state -> Text,
        opened_at -> Timestamptz,
        closed_at -> Nullable<Timestamptz>,
        touched -> Nullable<Jsonb>,
        stored_by -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    ingest_range (batch_id, topic, partition) {
        batch_id -> Uuid,
        topic -> Text,
        partition -> Integer,
        lo -> BigInt,
        hi -> BigInt,
        records -> BigInt,
        hash -> BigInt,
        verdicts -> Jsonb,
        parked -> Bool,
        omission -> Nullable<Integer>,
    }
}

diesel::table! {
    settle_batch (id) {
        id -> Uuid,
        owner -> Text,
        settled_at -> Timestamptz,
        buckets -> Jsonb,
        attempt -> Integer,
        state -> Text,
        opened_at -> Timestamptz,
        closed_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    settle_horizon (singleton) {
        singleton -> Bool,
        bucket -> BigInt,
    }
}

diesel::table! {
    api_key (id) {
        id -> Uuid,
        name -> Text,
        role -> Text,
        regions -> Nullable<Jsonb>,
        may_read_pii -> Bool,
        created_at -> Timestamptz,
        created_by -> Text,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    api_key_secret (hash) {
        hash -> Bytea,
        key_id -> Uuid,
        hint -> Text,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    audit_entry (id) {
        id -> BigInt,
        at -> Timestamptz,
        actor -> Text,
        action -> Text,
        subject -> Text,
        request_id -> Nullable<Text>,
        detail -> Jsonb,
    }
}

diesel::joinable!(ingest_range -> ingest_batch (batch_id));
diesel::allow_tables_to_appear_in_same_query!(ingest_batch, ingest_range, ingest_lane);
diesel::joinable!(api_key_secret -> api_key (key_id));
diesel::allow_tables_to_appear_in_same_query!(api_key, api_key_secret);
