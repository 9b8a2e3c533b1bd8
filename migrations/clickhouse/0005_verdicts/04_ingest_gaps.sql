-- Ranges of offsets without a record, with their cause: 'control' (transaction markers and aborted records,
-- proved by reading the range again), 'compacted', or 'lost' (by an operator's command only).
CREATE TABLE IF NOT EXISTS {{database}}.ingest_gaps{{local}}
(
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    first_offset UInt64,
    last_offset UInt64,
    cause LowCardinality(String),
    decided_at DateTime64(3, 'UTC'),
    batch UUID
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(decided_at)
ORDER BY (kafka_topic, kafka_partition, first_offset)
