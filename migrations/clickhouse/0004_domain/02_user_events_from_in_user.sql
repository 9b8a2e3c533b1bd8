CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.user_events_from_user TO {{database}}.user_events{{local}} AS
SELECT event_id, event_type, event_timestamp, state, city, region_settled,
    user_id, phone, role, full_name, email, referral_code, kyc_status, verification_notes, verified_by, previous_role, new_role,
    clock_skew, kafka_topic, kafka_partition, kafka_offset, decided_at, batch
FROM {{database}}.in_user
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest'
