CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.location_events_from_location TO {{database}}.location_events{{local}} AS
SELECT event_id, event_type, event_timestamp, state, city, region_settled,
    driver_id, trip_id, lat, lon, speed_kmh, bearing, accuracy_meters,
    clock_skew, kafka_topic, kafka_partition, kafka_offset, decided_at, batch
FROM {{database}}.in_location
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest'
