-- One row per range of a written batch: what became of every offset in it. `gap_offsets` are offsets at which
-- the log holds no record for a reader, each inside a row of `ingest_gaps`.
CREATE TABLE IF NOT EXISTS {{database}}.ingest_ledger{{local}}
(
    batch UUID,
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    first_offset UInt64,
    last_offset UInt64,
    accepted UInt64,
    duplicate UInt64,
    dead_lettered UInt64,
    gap_offsets UInt64,
    decided_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(decided_at)
ORDER BY (kafka_topic, kafka_partition, first_offset)
