-- One row per route: its latest name, and what its creation says of it.
CREATE TABLE IF NOT EXISTS {{database}}.route_profiles_state{{local}}
(
    mark UUID,
    marked_at SimpleAggregateFunction(max, DateTime),
    route_id UUID,
    name AggregateFunction(argMax, String, Tuple(DateTime64(3, 'UTC'), UUID)),
    profile AggregateFunction(argMax, Tuple(driver_id UUID, origin_state String, origin_city String, destination_state String, destination_city String, seats_total UInt8), Tuple(DateTime64(3, 'UTC'), UUID))
)
ENGINE = AggregatingMergeTree
ORDER BY (mark, route_id)
TTL marked_at + INTERVAL 21 DAY DELETE WHERE mark != toUUID('00000000-0000-0000-0000-000000000000')
