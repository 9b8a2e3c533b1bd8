-- One row per day, user and region, whatever parts say of it. Cheaper than a GROUP BY, since parts are merged in the
-- order of their key.
CREATE VIEW IF NOT EXISTS {{database}}.merged_user_days AS
SELECT scope, state, city, day, user_id, slots
FROM {{database}}.user_days_state FINAL
WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
SETTINGS do_not_merge_across_partitions_select_final = 1
