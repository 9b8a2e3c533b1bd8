CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.region_sources_from_route TO {{database}}.region_sources{{local}} AS
SELECT 'route' AS kind, route_id AS id, route_id AS route_id, state, city, '' AS payment_method, kafka_topic, kafka_offset, event_timestamp, batch
FROM {{database}}.in_route
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest' AND event_type = 'route.created'
