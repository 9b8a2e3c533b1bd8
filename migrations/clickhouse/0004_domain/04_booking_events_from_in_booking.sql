CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.booking_events_from_booking TO {{database}}.booking_events{{local}} AS
SELECT event_id, event_type, event_timestamp, state, city, region_settled,
    booking_id, rider_id, driver_id, route_id, trip_id, payment_id, seats_booked, total_price, booking_status, pickup_stop_id, dropoff_stop_id, pickup_lat, pickup_lon, dropoff_lat, dropoff_lon, scheduled_departure, confirmation_code, cancellation_reason, cancelled_by, refund_initiated, actual_departure, actual_arrival, duration_minutes,
    clock_skew, kafka_topic, kafka_partition, kafka_offset, decided_at, batch
FROM {{database}}.in_booking
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest'
