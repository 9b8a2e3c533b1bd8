CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.payment_events_from_payment TO {{database}}.payment_events{{local}} AS
SELECT event_id, event_type, event_timestamp, state, city, region_settled,
    payment_id, booking_id, rider_id, amount, currency, payment_method, provider, provider_transaction_id, processing_time_ms, card_last4, error_code, error_message, refund_amount, original_amount, refund_reason, refunded_by, provider_refund_id,
    clock_skew, kafka_topic, kafka_partition, kafka_offset, decided_at, batch
FROM {{database}}.in_payment
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest'
