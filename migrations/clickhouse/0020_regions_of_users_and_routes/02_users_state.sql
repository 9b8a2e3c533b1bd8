-- One row per user, and one per user and region once what happened there is settled: registration, role and region at
-- it, KYC statuses, first upgrade. Not partitioned, so that all that is known of a user comes together.
CREATE TABLE {{database}}.users_state_by_region{{local}}
(
    mark UUID,
    marked_at SimpleAggregateFunction(max, DateTime),
    scope Enum8('total' = 0, 'region' = 1),
    state LowCardinality(String),
    city LowCardinality(String),
    user_id UUID,
    registered_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    upgraded_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    home SimpleAggregateFunction(min, Tuple(at DateTime64(3, 'UTC'), event_id UUID, role String, state String, city String))
        DEFAULT (toDateTime64('2299-12-31 00:00:00', 3, 'UTC'), toUUID('00000000-0000-0000-0000-000000000000'), '', '', ''),
    kyc_latest SimpleAggregateFunction(max, Tuple(at DateTime64(3, 'UTC'), event_id UUID, status String)),
    kyc_ahead SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(at DateTime64(3, 'UTC'), event_id UUID, status String)))
)
ENGINE = AggregatingMergeTree
ORDER BY (mark, scope, state, city, user_id)
TTL marked_at + INTERVAL 21 DAY DELETE WHERE mark != toUUID('00000000-0000-0000-0000-000000000000')
SETTINGS merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0, min_parts_to_merge_at_once = 10, merge_selector_base = 16,
    min_age_to_force_merge_seconds = 3600, max_bytes_to_merge_at_max_space_in_pool = 2147483648, enable_max_bytes_limit_for_min_age_to_force_merge = 1
