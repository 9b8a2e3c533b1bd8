CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.trip_events_from_trip TO {{database}}.trip_events{{local}} AS
SELECT event_id, event_type, event_timestamp, state, city, region_settled,
    trip_id, booking_id, driver_id, rider_id, route_id, scheduled_departure, actual_departure, actual_arrival, start_lat, start_lon, end_lat, end_lon, passengers_count, duration_minutes, distance_km, driver_earnings, platform_commission, on_time, cancellation_reason, cancelled_by, was_started, partial_distance_km,
    clock_skew, kafka_topic, kafka_partition, kafka_offset, decided_at, batch
FROM {{database}}.in_trip
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest'
