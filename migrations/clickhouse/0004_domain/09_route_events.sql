-- The route events, typed. `state` and `city` are the settled region (empty until `region_settled`), which a later
-- update fills in; hence the block columns, which lightweight updates need.
CREATE TABLE IF NOT EXISTS {{database}}.route_events{{local}}
(
    event_id UUID,
    event_type Enum8('user.registered' = 1, 'user.kyc_verified' = 2, 'user.upgraded_to_driver' = 3, 'booking.created' = 4, 'booking.confirmed' = 5, 'booking.cancelled' = 6, 'booking.completed' = 7, 'payment.initiated' = 8, 'payment.success' = 9, 'payment.failed' = 10, 'payment.refunded' = 11, 'trip.started' = 12, 'trip.completed' = 13, 'trip.cancelled' = 14, 'route.created' = 15, 'route.activated' = 16, 'route.cancelled' = 17, 'driver.location.updated' = 18, 'route.updated' = 19),
    event_timestamp DateTime64(3, 'UTC'),
    state LowCardinality(String),
    city LowCardinality(String),
    region_settled Bool,
    route_id UUID,
    driver_id UUID,
    route_name String,
    origin_city Nullable(String),
    destination_city Nullable(String),
    origin_state Nullable(String),
    destination_state Nullable(String),
    stops_count Nullable(UInt32),
    seats_total Nullable(UInt8),
    base_price Nullable(Decimal(18, 2)),
    departure_time Nullable(String),
    active_days Array(LowCardinality(String)),
    previous_status LowCardinality(Nullable(String)),
    new_status LowCardinality(Nullable(String)),
    cancellation_reason Nullable(String),
    active_bookings_count Nullable(UInt32),
    updated_fields Array(String),
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
TTL toDateTime(event_timestamp) + INTERVAL 104 DAY DELETE
SETTINGS enable_block_number_column = 1, enable_block_offset_column = 1
