-- The trip events, typed. `state` and `city` are the settled region (empty until `region_settled`), which a later
-- update fills in; hence the block columns, which lightweight updates need.
CREATE TABLE IF NOT EXISTS {{database}}.trip_events{{local}}
(
    event_id UUID,
    event_type Enum8('user.registered' = 1, 'user.kyc_verified' = 2, 'user.upgraded_to_driver' = 3, 'booking.created' = 4, 'booking.confirmed' = 5, 'booking.cancelled' = 6, 'booking.completed' = 7, 'payment.initiated' = 8, 'payment.success' = 9, 'payment.failed' = 10, 'payment.refunded' = 11, 'trip.started' = 12, 'trip.completed' = 13, 'trip.cancelled' = 14, 'route.created' = 15, 'route.activated' = 16, 'route.cancelled' = 17, 'driver.location.updated' = 18, 'route.updated' = 19),
    event_timestamp DateTime64(3, 'UTC'),
    state LowCardinality(String),
    city LowCardinality(String),
    region_settled Bool,
    trip_id UUID,
    booking_id UUID,
    driver_id UUID,
    rider_id UUID,
    route_id UUID,
    scheduled_departure Nullable(DateTime64(3, 'UTC')),
    actual_departure Nullable(DateTime64(3, 'UTC')),
    actual_arrival Nullable(DateTime64(3, 'UTC')),
    start_lat Nullable(Float64),
    start_lon Nullable(Float64),
    end_lat Nullable(Float64),
    end_lon Nullable(Float64),
    passengers_count Nullable(UInt8),
    duration_minutes Nullable(UInt32),
    distance_km Nullable(Float64),
    driver_earnings Nullable(Decimal(18, 2)),
    platform_commission Nullable(Decimal(18, 2)),
    on_time Nullable(Bool),
    cancellation_reason Nullable(String),
    cancelled_by LowCardinality(Nullable(String)),
    was_started Nullable(Bool),
    partial_distance_km Nullable(Float64),
    distance_m UInt64 ALIAS toUInt64(floor(ifNull(distance_km, 0) * 1000) + (ifNull(distance_km, 0) * 1000 - floor(ifNull(distance_km, 0) * 1000) >= 0.5)),
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
