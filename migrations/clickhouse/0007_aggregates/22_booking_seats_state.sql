-- One row per booking: its departure and seats, and whether it was confirmed or cancelled. Occupancy is counted
-- over it. Not partitioned: the events of a booking may be months apart.
CREATE TABLE IF NOT EXISTS {{database}}.booking_seats_state{{local}}
(
    mark UUID,
    marked_at SimpleAggregateFunction(max, DateTime),
    scope Enum8('total' = 0, 'region' = 1),
    route_id UUID,
    booking_id UUID,
    state LowCardinality(String),
    city LowCardinality(String),
    departure SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))),
    seats SimpleAggregateFunction(max, UInt8),
    confirmed SimpleAggregateFunction(max, UInt8),
    cancelled SimpleAggregateFunction(max, UInt8)
)
ENGINE = AggregatingMergeTree
ORDER BY (mark, scope, route_id, booking_id, state, city)
TTL marked_at + INTERVAL 21 DAY DELETE WHERE mark != toUUID('00000000-0000-0000-0000-000000000000')
