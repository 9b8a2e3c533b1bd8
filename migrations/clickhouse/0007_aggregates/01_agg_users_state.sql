-- Users: registrations, verifications and upgrades per quarter of an hour. Rows of scope 'total' have no region
-- and are fed at once; rows of scope 'region' are fed once per fact, when its region is known.
CREATE TABLE IF NOT EXISTS {{database}}.agg_users_state{{local}}
(
    mark UUID,
    marked_at SimpleAggregateFunction(max, DateTime),
    scope Enum8('total' = 0, 'region' = 1),
    slot DateTime('UTC'),
    state LowCardinality(String),
    city LowCardinality(String),
    registered SimpleAggregateFunction(sum, UInt64),
    kyc_verified SimpleAggregateFunction(sum, UInt64),
    kyc_rejected SimpleAggregateFunction(sum, UInt64),
    upgraded SimpleAggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(slot)
ORDER BY (mark, scope, slot, state, city)
TTL marked_at + INTERVAL 21 DAY DELETE WHERE mark != toUUID('00000000-0000-0000-0000-000000000000')
