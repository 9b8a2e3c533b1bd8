-- Trips per quarter of an hour. Distances are whole metres, half away from zero, so that a sum does not
-- depend on its order (`round` would round halves to even).
CREATE TABLE IF NOT EXISTS {{database}}.agg_trips_state{{local}}
(
    mark UUID,
    marked_at SimpleAggregateFunction(max, DateTime),
    scope Enum8('total' = 0, 'region' = 1),
    slot DateTime('UTC'),
    state LowCardinality(String),
    city LowCardinality(String),
    started SimpleAggregateFunction(sum, UInt64),
    completed SimpleAggregateFunction(sum, UInt64),
    cancelled SimpleAggregateFunction(sum, UInt64),
    duration_minutes SimpleAggregateFunction(sum, UInt64),
    distance_m SimpleAggregateFunction(sum, UInt64),
    on_time SimpleAggregateFunction(sum, UInt64),
    driver_earnings SimpleAggregateFunction(sum, Decimal(38, 2)),
    platform_commission SimpleAggregateFunction(sum, Decimal(38, 2)),
    drivers AggregateFunction(uniqExact, UUID)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(slot)
ORDER BY (mark, scope, slot, state, city)
TTL marked_at + INTERVAL 21 DAY DELETE WHERE mark != toUUID('00000000-0000-0000-0000-000000000000')
