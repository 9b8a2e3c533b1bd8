-- One row per user: registration, role and region at registration, latest KYC status, first upgrade. Not
-- partitioned, so that all that is known of a user comes together.
CREATE TABLE IF NOT EXISTS {{database}}.users_state{{local}}
(
    mark UUID,
    marked_at SimpleAggregateFunction(max, DateTime),
    user_id UUID,
    registered_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    registration AggregateFunction(argMin, Tuple(role String, state String, city String), Tuple(DateTime64(3, 'UTC'), UUID)),
    kyc AggregateFunction(argMax, String, Tuple(DateTime64(3, 'UTC'), UUID)),
    upgraded_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC')))
)
ENGINE = AggregatingMergeTree
ORDER BY (mark, user_id)
TTL marked_at + INTERVAL 21 DAY DELETE WHERE mark != toUUID('00000000-0000-0000-0000-000000000000')
