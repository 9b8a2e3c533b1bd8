-- Bookings per quarter of an hour.
CREATE TABLE IF NOT EXISTS {{database}}.agg_bookings_state{{local}}
(
    mark UUID,
    marked_at SimpleAggregateFunction(max, DateTime),
    scope Enum8('total' = 0, 'region' = 1),
    slot DateTime('UTC'),
    state LowCardinality(String),
    city LowCardinality(String),
    created SimpleAggregateFunction(sum, UInt64),
    confirmed SimpleAggregateFunction(sum, UInt64),
    cancelled SimpleAggregateFunction(sum, UInt64),
    completed SimpleAggregateFunction(sum, UInt64),
    confirmed_value SimpleAggregateFunction(sum, Decimal(38, 2))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(slot)
ORDER BY (mark, scope, slot, state, city)
TTL marked_at + INTERVAL 21 DAY DELETE WHERE mark != toUUID('00000000-0000-0000-0000-000000000000')
