-- A record whose identity was accepted before, and the offset that it repeats (same topic and partition).
CREATE TABLE IF NOT EXISTS {{database}}.duplicates{{local}}
(
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset UInt64,
    repeats_offset UInt64,
    event_id UUID,
    decided_at DateTime64(3, 'UTC'),
    batch UUID,
    INDEX by_batch batch TYPE bloom_filter GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(decided_at)
ORDER BY (kafka_topic, kafka_partition, kafka_offset)
TTL toDateTime(decided_at) + INTERVAL 104 DAY DELETE
