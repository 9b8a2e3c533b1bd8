-- One row per route, and one per route and region: its latest name, and what its creation says of it.
CREATE TABLE {{database}}.route_profiles_state_by_region{{local}}
(
    mark UUID,
    marked_at SimpleAggregateFunction(max, DateTime),
    scope Enum8('total' = 0, 'region' = 1),
    state LowCardinality(String),
    city LowCardinality(String),
    route_id UUID,
    name AggregateFunction(argMax, String, Tuple(DateTime64(3, 'UTC'), UUID)),
    profile AggregateFunction(argMax, Tuple(driver_id UUID, origin_state String, origin_city String, destination_state String, destination_city String, seats_total UInt8), Tuple(DateTime64(3, 'UTC'), UUID))
)
ENGINE = AggregatingMergeTree
ORDER BY (mark, scope, state, city, route_id)
TTL marked_at + INTERVAL 21 DAY DELETE WHERE mark != toUUID('00000000-0000-0000-0000-000000000000')
SETTINGS merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0, min_parts_to_merge_at_once = 10, merge_selector_base = 16,
    min_age_to_force_merge_seconds = 3600, max_bytes_to_merge_at_max_space_in_pool = 2147483648, enable_max_bytes_limit_for_min_age_to_force_merge = 1
