-- The accepted events as received. Ordered by their place in Kafka: the ledger counts by it, the ingestor looks
-- up the identities of the last N offsets by it, and every number is traced back to it.
CREATE TABLE IF NOT EXISTS {{database}}.events_raw{{local}}
(
    event_id UUID,
    event_type Enum8('user.registered' = 1, 'user.kyc_verified' = 2, 'user.upgraded_to_driver' = 3, 'booking.created' = 4, 'booking.confirmed' = 5, 'booking.cancelled' = 6, 'booking.completed' = 7, 'payment.initiated' = 8, 'payment.success' = 9, 'payment.failed' = 10, 'payment.refunded' = 11, 'trip.started' = 12, 'trip.completed' = 13, 'trip.cancelled' = 14, 'route.created' = 15, 'route.activated' = 16, 'route.cancelled' = 17, 'driver.location.updated' = 18, 'route.updated' = 19),
    event_timestamp DateTime64(3, 'UTC'),
    schema_version LowCardinality(String),
    trace_id String,
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset UInt64 CODEC(Delta, ZSTD(1)),
    kafka_timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    decided_at DateTime64(3, 'UTC'),
    batch UUID,
    clock_skew Bool,
    payload String CODEC(ZSTD(1)),
    INDEX by_batch batch TYPE bloom_filter GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_timestamp)
ORDER BY (kafka_topic, kafka_partition, kafka_offset)
TTL toDateTime(event_timestamp) + INTERVAL 104 DAY DELETE
