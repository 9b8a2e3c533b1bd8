ALTER TABLE {{database}}.waiting_route_from_route MODIFY QUERY
SELECT intDiv(toUInt64(toUnixTimestamp(toDateTime(decided_at))), 10) AS bucket, batch,
    event_id, event_type, event_timestamp, kafka_topic, kafka_partition, kafka_offset, kafka_timestamp, clock_skew, decided_at,
    route_id, driver_id, route_name, seats_total
FROM {{database}}.in_route
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest' AND NOT region_settled
