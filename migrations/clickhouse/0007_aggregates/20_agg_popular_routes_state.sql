-- Confirmed bookings of each route per quarter of an hour.
CREATE TABLE IF NOT EXISTS {{database}}.agg_popular_routes_state{{local}}
(
    mark UUID,
    marked_at SimpleAggregateFunction(max, DateTime),
    scope Enum8('total' = 0, 'region' = 1),
    slot DateTime('UTC'),
    route_id UUID,
    state LowCardinality(String),
    city LowCardinality(String),
    bookings SimpleAggregateFunction(sum, UInt64),
    revenue SimpleAggregateFunction(sum, Decimal(38, 2))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(slot)
ORDER BY (mark, scope, slot, route_id, state, city)
TTL marked_at + INTERVAL 21 DAY DELETE WHERE mark != toUUID('00000000-0000-0000-0000-000000000000')
