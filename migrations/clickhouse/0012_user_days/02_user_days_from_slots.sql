-- What was stored per quarter of an hour. It may be written again.
INSERT INTO {{database}}.user_days_state{{local}} (mark, marked_at, scope, state, city, day, user_id, slots)
SELECT mark, marked_at, scope, state, city, toDate(slot), user_id,
    bitShiftLeft(toUInt128(1), intDiv(toUnixTimestamp(slot) % 86400, 900))
FROM {{database}}.user_activity_state{{local}}
SETTINGS max_partitions_per_insert_block = 0
