CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.events_raw_from_trip TO {{database}}.events_raw{{local}} AS
SELECT event_id, event_type, event_timestamp, schema_version, trace_id, kafka_topic, kafka_partition, kafka_offset,
    kafka_timestamp, decided_at, batch, clock_skew, payload
FROM {{database}}.in_trip
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest'
