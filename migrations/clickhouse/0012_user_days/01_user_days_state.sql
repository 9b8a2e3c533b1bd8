-- One row per (UTC day, user) in which an accepted event names the user as user_id, rider_id or driver_id; per region
-- again, once the region is known. Bit n of `slots` stands for the n-th quarter of an hour of the day: a fifth of the
-- rows that one per quarter of an hour would make, and written twice they are still the same.
CREATE TABLE IF NOT EXISTS {{database}}.user_days_state{{local}}
(
    mark UUID,
    marked_at SimpleAggregateFunction(max, DateTime),
    scope Enum8('total' = 0, 'region' = 1),
    state LowCardinality(String),
    city LowCardinality(String),
    day Date,
    user_id UUID,
    slots SimpleAggregateFunction(groupBitOr, UInt128)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (mark, scope, state, city, day, user_id)
TTL marked_at + INTERVAL 21 DAY DELETE WHERE mark != toUUID('00000000-0000-0000-0000-000000000000')
SETTINGS merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0, min_parts_to_merge_at_once = 10
