-- Completed trips of each driver per quarter of an hour.
CREATE TABLE {{database}}.agg_driver_earnings_state_by_region{{local}}
(
    mark UUID,
    marked_at SimpleAggregateFunction(max, DateTime),
    scope Enum8('total' = 0, 'region' = 1),
    slot DateTime('UTC'),
    driver_id UUID,
    state LowCardinality(String),
    city LowCardinality(String),
    trips SimpleAggregateFunction(sum, UInt64),
    earnings SimpleAggregateFunction(sum, Decimal(38, 2)),
    distance_m SimpleAggregateFunction(sum, UInt64),
    on_time SimpleAggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(slot)
ORDER BY (mark, scope, state, city, slot, driver_id)
TTL marked_at + INTERVAL 21 DAY DELETE WHERE mark != toUUID('00000000-0000-0000-0000-000000000000')
SETTINGS merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0, min_parts_to_merge_at_once = 10, merge_selector_base = 16,
    min_age_to_force_merge_seconds = 3600, max_bytes_to_merge_at_max_space_in_pool = 2147483648, enable_max_bytes_limit_for_min_age_to_force_merge = 1
