CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.waiting_payment_from_payment TO {{database}}.waiting_payment{{local}} AS
SELECT intDiv(toUInt64(toUnixTimestamp(toDateTime(decided_at))), 10) AS bucket, batch,
    event_id, event_type, event_timestamp, kafka_topic, kafka_partition, kafka_offset, kafka_timestamp, clock_skew, decided_at,
    payment_id, booking_id, rider_id, amount, currency, payment_method, processing_time_ms, refund_amount
FROM {{database}}.in_payment
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest' AND NOT region_settled
