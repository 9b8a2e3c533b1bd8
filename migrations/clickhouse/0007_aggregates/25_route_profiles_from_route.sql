CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.route_profiles_from_route TO {{database}}.route_profiles_state{{local}} AS
SELECT mark, max(if(mark = toUUID('00000000-0000-0000-0000-000000000000'), toDateTime(0, 'UTC'), toDateTime(decided_at))) AS marked_at,
    route_id,
    argMaxStateIf(route_name, (event_timestamp, event_id), mark = toUUID('00000000-0000-0000-0000-000000000000')) AS name,
    argMaxStateIf(
        (driver_id, ifNull(origin_state, ''), ifNull(origin_city, ''), ifNull(destination_state, ''), ifNull(destination_city, ''), ifNull(seats_total, 0))
            ::Tuple(driver_id UUID, origin_state String, origin_city String, destination_state String, destination_city String, seats_total UInt8),
        (event_timestamp, event_id), event_type = 'route.created') AS profile
FROM {{database}}.in_route
WHERE phase = 'ingest'
GROUP BY mark, route_id
