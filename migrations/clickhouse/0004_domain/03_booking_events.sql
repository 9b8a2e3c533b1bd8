-- The booking events, typed. `state` and `city` are the settled region (empty until `region_settled`), which a later
-- update fills in; hence the block columns, which lightweight updates need.
CREATE TABLE IF NOT EXISTS {{database}}.booking_events{{local}}
(
    event_id UUID,
    event_type Enum8('user.registered' = 1, 'user.kyc_verified' = 2, 'user.upgraded_to_driver' = 3, 'booking.created' = 4, 'booking.confirmed' = 5, 'booking.cancelled' = 6, 'booking.completed' = 7, 'payment.initiated' = 8, 'payment.success' = 9, 'payment.failed' = 10, 'payment.refunded' = 11, 'trip.started' = 12, 'trip.completed' = 13, 'trip.cancelled' = 14, 'route.created' = 15, 'route.activated' = 16, 'route.cancelled' = 17, 'driver.location.updated' = 18, 'route.updated' = 19),
    event_timestamp DateTime64(3, 'UTC'),
    state LowCardinality(String),
    city LowCardinality(String),
    region_settled Bool,
    booking_id UUID,
    rider_id UUID,
    driver_id UUID,
    route_id UUID,
    trip_id Nullable(UUID),
    payment_id Nullable(UUID),
    seats_booked Nullable(UInt8),
    total_price Nullable(Decimal(18, 2)),
    booking_status LowCardinality(Nullable(String)),
    pickup_stop_id Nullable(UUID),
    dropoff_stop_id Nullable(UUID),
    pickup_lat Nullable(Float64),
    pickup_lon Nullable(Float64),
    dropoff_lat Nullable(Float64),
    dropoff_lon Nullable(Float64),
    scheduled_departure Nullable(DateTime64(3, 'UTC')),
    confirmation_code Nullable(String),
    cancellation_reason Nullable(String),
    cancelled_by LowCardinality(Nullable(String)),
    refund_initiated Nullable(Bool),
    actual_departure Nullable(DateTime64(3, 'UTC')),
    actual_arrival Nullable(DateTime64(3, 'UTC')),
    duration_minutes Nullable(UInt32),
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
