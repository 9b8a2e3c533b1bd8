-- Trip facts whose region is not known yet, with what the regional aggregates need of them. A partition is a
-- bucket: ten seconds of `decided_at`, or what an earlier settling left over. Settling takes whole buckets of
-- closed batches and drops them afterwards.
CREATE TABLE IF NOT EXISTS {{database}}.waiting_trip{{local}}
(
    bucket UInt64,
    batch UUID,
    event_id UUID,
    event_type Enum8('user.registered' = 1, 'user.kyc_verified' = 2, 'user.upgraded_to_driver' = 3, 'booking.created' = 4, 'booking.confirmed' = 5, 'booking.cancelled' = 6, 'booking.completed' = 7, 'payment.initiated' = 8, 'payment.success' = 9, 'payment.failed' = 10, 'payment.refunded' = 11, 'trip.started' = 12, 'trip.completed' = 13, 'trip.cancelled' = 14, 'route.created' = 15, 'route.activated' = 16, 'route.cancelled' = 17, 'driver.location.updated' = 18, 'route.updated' = 19),
    event_timestamp DateTime64(3, 'UTC'),
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset UInt64,
    kafka_timestamp DateTime64(3, 'UTC'),
    clock_skew Bool,
    decided_at DateTime64(3, 'UTC'),
    trip_id UUID,
    booking_id UUID,
    driver_id UUID,
    rider_id UUID,
    route_id UUID,
    scheduled_departure Nullable(DateTime64(3, 'UTC')),
    actual_departure Nullable(DateTime64(3, 'UTC')),
    duration_minutes Nullable(UInt32),
    distance_km Nullable(Float64),
    driver_earnings Nullable(Decimal(18, 2)),
    platform_commission Nullable(Decimal(18, 2)),
    on_time Nullable(Bool)
)
ENGINE = MergeTree
PARTITION BY bucket
ORDER BY (kafka_topic, kafka_partition, kafka_offset)
