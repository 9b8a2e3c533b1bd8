CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.waiting_booking_from_booking TO {{database}}.waiting_booking{{local}} AS
SELECT intDiv(toUInt64(toUnixTimestamp(toDateTime(decided_at))), 10) AS bucket, batch,
    event_id, event_type, event_timestamp, kafka_topic, kafka_partition, kafka_offset, kafka_timestamp, clock_skew, decided_at,
    booking_id, rider_id, driver_id, route_id, seats_booked, total_price, scheduled_departure
FROM {{database}}.in_booking
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest' AND NOT region_settled
