-- What a waiting fact is joined with: a ride's pick-up, a route's origin, a user's registration, a payment's
-- method. One row per event that tells it; the earliest offset of an id counts.
CREATE TABLE IF NOT EXISTS {{database}}.region_sources{{local}}
(
    kind Enum8('ride' = 1, 'route' = 2, 'user' = 3, 'payment' = 4),
    id UUID,
    route_id UUID,
    state LowCardinality(String),
    city LowCardinality(String),
    payment_method LowCardinality(String),
    kafka_topic LowCardinality(String),
    kafka_offset UInt64,
    event_timestamp DateTime64(3, 'UTC'),
    batch UUID,
    INDEX by_batch batch TYPE bloom_filter GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_timestamp)
ORDER BY (kind, id, kafka_offset)
TTL toDateTime(event_timestamp) + INTERVAL 194 DAY DELETE
SETTINGS index_granularity = 1024
