-- The outcome of settling, one row per fact: decided once, then only read. A batch's rows arrive in one part.
CREATE TABLE IF NOT EXISTS {{database}}.settlements{{local}}
(
    batch UUID,
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset UInt64,
    state LowCardinality(String),
    city LowCardinality(String),
    payment_method LowCardinality(String),
    settled_at DateTime64(3, 'UTC'),
    INDEX by_batch batch TYPE bloom_filter GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(settled_at)
ORDER BY (kafka_topic, kafka_partition, kafka_offset)
TTL toDateTime(settled_at) + INTERVAL 104 DAY DELETE
