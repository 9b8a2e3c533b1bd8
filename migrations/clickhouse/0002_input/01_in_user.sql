-- What the ingestor inserts for the user topic. Keeps nothing: every stored table is the target of a view on it,
-- so that a block is parsed once. `mark` is zero on events and the insert's id on its sentinel rows.
-- `phase` is 'settle' when rows come again because their region has become known.
CREATE TABLE IF NOT EXISTS {{database}}.in_user
(
    batch UUID,
    mark UUID,
    phase Enum8('ingest' = 0, 'settle' = 1),
    event_id UUID,
    event_type Enum8('user.registered' = 1, 'user.kyc_verified' = 2, 'user.upgraded_to_driver' = 3, 'booking.created' = 4, 'booking.confirmed' = 5, 'booking.cancelled' = 6, 'booking.completed' = 7, 'payment.initiated' = 8, 'payment.success' = 9, 'payment.failed' = 10, 'payment.refunded' = 11, 'trip.started' = 12, 'trip.completed' = 13, 'trip.cancelled' = 14, 'route.created' = 15, 'route.activated' = 16, 'route.cancelled' = 17, 'driver.location.updated' = 18, 'route.updated' = 19),
    event_timestamp DateTime64(3, 'UTC'),
    schema_version LowCardinality(String),
    trace_id String,
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset UInt64,
    kafka_timestamp DateTime64(3, 'UTC'),
    decided_at DateTime64(3, 'UTC'),
    clock_skew Bool,
    payload String,
    state LowCardinality(String),
    city LowCardinality(String),
    region_settled Bool,
    user_id UUID,
    phone Nullable(String),
    role LowCardinality(Nullable(String)),
    full_name Nullable(String),
    email Nullable(String),
    referral_code Nullable(String),
    kyc_status LowCardinality(Nullable(String)),
    verification_notes Nullable(String),
    verified_by Nullable(String),
    previous_role LowCardinality(Nullable(String)),
    new_role LowCardinality(Nullable(String))
)
ENGINE = Null
