CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.region_sources_from_user TO {{database}}.region_sources{{local}} AS
SELECT 'user' AS kind, user_id AS id, toUUID('00000000-0000-0000-0000-000000000000') AS route_id, state, city, '' AS payment_method, kafka_topic, kafka_offset, event_timestamp, batch
FROM {{database}}.in_user
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest' AND event_type = 'user.registered'
