CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.waiting_trip_from_trip TO {{database}}.waiting_trip{{local}} AS
SELECT intDiv(toUInt64(toUnixTimestamp(toDateTime(decided_at))), 10) AS bucket, batch,
    event_id, event_type, event_timestamp, kafka_topic, kafka_partition, kafka_offset, kafka_timestamp, clock_skew, decided_at,
    trip_id, booking_id, driver_id, rider_id, route_id, scheduled_departure, actual_departure, duration_minutes, distance_km, driver_earnings, platform_commission, on_time
FROM {{database}}.in_trip
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest' AND NOT region_settled
