-- Completed trips of each driver per quarter of an hour.
CREATE TABLE IF NOT EXISTS {{database}}.agg_driver_earnings_state{{local}}
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
ORDER BY (mark, scope, slot, driver_id, state, city)
TTL marked_at + INTERVAL 21 DAY DELETE WHERE mark != toUUID('00000000-0000-0000-0000-000000000000')
