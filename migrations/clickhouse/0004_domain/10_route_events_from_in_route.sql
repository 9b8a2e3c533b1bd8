CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.route_events_from_route TO {{database}}.route_events{{local}} AS
SELECT event_id, event_type, event_timestamp, state, city, region_settled,
    route_id, driver_id, route_name, origin_city, destination_city, origin_state, destination_state, stops_count, seats_total, base_price, departure_time, active_days, previous_status, new_status, cancellation_reason, active_bookings_count, updated_fields,
    clock_skew, kafka_topic, kafka_partition, kafka_offset, decided_at, batch
FROM {{database}}.in_route
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest'
