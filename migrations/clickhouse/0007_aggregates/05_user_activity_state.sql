-- One row per (quarter of an hour, user) in which an accepted event names the user as user_id, rider_id or driver_id;
-- per region again, once the region is known.
CREATE TABLE IF NOT EXISTS {{database}}.user_activity_state{{local}}
(
    mark UUID,
    marked_at SimpleAggregateFunction(max, DateTime),
    scope Enum8('total' = 0, 'region' = 1),
    state LowCardinality(String),
    city LowCardinality(String),
    slot DateTime('UTC'),
    user_id UUID
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(slot)
ORDER BY (mark, scope, state, city, slot, user_id)
TTL marked_at + INTERVAL 21 DAY DELETE WHERE mark != toUUID('00000000-0000-0000-0000-000000000000')
