-- A fact that waited when its name was not yet kept has none, and says nothing of it.
ALTER TABLE {{database}}.route_profiles_from_route MODIFY QUERY
SELECT mark, max(if(mark = toUUID('00000000-0000-0000-0000-000000000000'), toDateTime(0, 'UTC'), toDateTime(decided_at))) AS marked_at,
    scope, state, city, route_id,
    argMaxStateIf(route_name, (event_timestamp, event_id), route_name != '') AS name,
    argMaxStateIf(
        (driver_id, ifNull(origin_state, ''), ifNull(origin_city, ''), ifNull(destination_state, ''), ifNull(destination_city, ''), ifNull(seats_total, 0))
            ::Tuple(driver_id UUID, origin_state String, origin_city String, destination_state String, destination_city String, seats_total UInt8),
        (event_timestamp, event_id), event_type = 'route.created') AS profile
FROM
(
    SELECT * EXCEPT (state, city), arrayJoin(multiIf(mark != toUUID('00000000-0000-0000-0000-000000000000'), ['total'], phase = 'settle', ['region'], region_settled, ['total', 'region'], ['total']))::Enum8('total' = 0, 'region' = 1) AS scope,
        if(scope = 'region', state, '') AS state, if(scope = 'region', city, '') AS city
    FROM {{database}}.in_route
)
GROUP BY mark, scope, state, city, route_id
