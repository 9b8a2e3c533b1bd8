CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.waiting_user_from_user TO {{database}}.waiting_user{{local}} AS
SELECT intDiv(toUInt64(toUnixTimestamp(toDateTime(decided_at))), 10) AS bucket, batch,
    event_id, event_type, event_timestamp, kafka_topic, kafka_partition, kafka_offset, kafka_timestamp, clock_skew, decided_at,
    user_id, role, kyc_status
FROM {{database}}.in_user
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest' AND NOT region_settled
