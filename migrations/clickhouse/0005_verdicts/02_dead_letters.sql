CREATE TABLE IF NOT EXISTS {{database}}.dead_letters{{local}}
(
    reason LowCardinality(String),
    path String,
    detail String,
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset UInt64,
    kafka_timestamp DateTime64(3, 'UTC'),
    kafka_key String,
    payload String CODEC(ZSTD(1)),
    decided_at DateTime64(3, 'UTC'),
    batch UUID,
    INDEX by_batch batch TYPE bloom_filter GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(decided_at)
ORDER BY (kafka_topic, kafka_partition, kafka_offset)
TTL toDateTime(decided_at) + INTERVAL 104 DAY DELETE
