-- The location events, typed. `state` and `city` are the settled region (empty until `region_settled`), which a later
-- update fills in; hence the block columns, which lightweight updates need.
CREATE TABLE IF NOT EXISTS {{database}}.location_events{{local}}
(
    event_id UUID,
    event_type Enum8('user.registered' = 1, 'user.kyc_verified' = 2, 'user.upgraded_to_driver' = 3, 'booking.created' = 4, 'booking.confirmed' = 5, 'booking.cancelled' = 6, 'booking.completed' = 7, 'payment.initiated' = 8, 'payment.success' = 9, 'payment.failed' = 10, 'payment.refunded' = 11, 'trip.started' = 12, 'trip.completed' = 13, 'trip.cancelled' = 14, 'route.created' = 15, 'route.activated' = 16, 'route.cancelled' = 17, 'driver.location.updated' = 18, 'route.updated' = 19),
    event_timestamp DateTime64(3, 'UTC'),
    state LowCardinality(String),
    city LowCardinality(String),
    region_settled Bool,
    driver_id UUID,
    trip_id Nullable(UUID),
    lat Float64,
    lon Float64,
    speed_kmh Nullable(Float64),
    bearing Nullable(Float64),
    accuracy_meters Nullable(Float64),
    clock_skew Bool,
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset UInt64,
    decided_at DateTime64(3, 'UTC'),
    batch UUID,
    INDEX by_batch batch TYPE bloom_filter GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_timestamp)
ORDER BY (event_type, event_timestamp, event_id)
TTL toDateTime(event_timestamp) + INTERVAL 44 DAY DELETE
SETTINGS enable_block_number_column = 1, enable_block_offset_column = 1
