-- Real-time tiles, per second: `second` is the event's time rounded up, so that (now - x, now] is exact for a
-- whole second. Only events of the last day, none with a skewed clock; rows leave after two days.
CREATE TABLE IF NOT EXISTS {{database}}.agg_realtime_state{{local}}
(
    mark UUID,
    marked_at SimpleAggregateFunction(max, DateTime),
    scope Enum8('total' = 0, 'region' = 1),
    second DateTime('UTC'),
    state LowCardinality(String),
    city LowCardinality(String),
    users AggregateFunction(uniqExact, UUID),
    drivers AggregateFunction(uniqExact, UUID),
    bookings_created SimpleAggregateFunction(sum, UInt64),
    revenue SimpleAggregateFunction(sum, Decimal(38, 2)),
    wait_ms SimpleAggregateFunction(sum, UInt64),
    trips_started SimpleAggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(second)
ORDER BY (mark, scope, second, state, city)
TTL marked_at + INTERVAL 21 DAY DELETE WHERE mark != toUUID('00000000-0000-0000-0000-000000000000'),
    second + INTERVAL 2 DAY DELETE WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
