-- One row per trip of the last day: when it started and ended. Rows leave after three days.
CREATE TABLE IF NOT EXISTS {{database}}.trip_progress_state{{local}}
(
    mark UUID,
    marked_at SimpleAggregateFunction(max, DateTime),
    scope Enum8('total' = 0, 'region' = 1),
    state LowCardinality(String),
    city LowCardinality(String),
    trip_id UUID,
    started_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))),
    ended_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))),
    seen_at SimpleAggregateFunction(max, DateTime('UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (mark, scope, state, city, trip_id)
TTL marked_at + INTERVAL 21 DAY DELETE WHERE mark != toUUID('00000000-0000-0000-0000-000000000000'),
    seen_at + INTERVAL 3 DAY DELETE WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
