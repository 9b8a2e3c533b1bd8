CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.region_sources_from_payment TO {{database}}.region_sources{{local}} AS
SELECT 'payment' AS kind, payment_id AS id, toUUID('00000000-0000-0000-0000-000000000000') AS route_id, state, city, assumeNotNull(payment_method) AS payment_method, kafka_topic, kafka_offset, event_timestamp, batch
FROM {{database}}.in_payment
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest' AND event_type IN ('payment.initiated', 'payment.success')
