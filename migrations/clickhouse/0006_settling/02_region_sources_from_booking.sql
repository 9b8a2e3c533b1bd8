CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.region_sources_from_booking TO {{database}}.region_sources{{local}} AS
SELECT 'ride' AS kind, booking_id AS id, route_id AS route_id, state, city, '' AS payment_method, kafka_topic, kafka_offset, event_timestamp, batch
FROM {{database}}.in_booking
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest' AND event_type = 'booking.created'
