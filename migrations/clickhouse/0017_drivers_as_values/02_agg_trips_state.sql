-- What the states hold. Written out, one is the number of its values, in as few bytes as that takes, and then they, each
-- of 16 bytes. Few rows at a time, since one may hold thousands. It may be written again.
INSERT INTO {{database}}.agg_trips_state{{local}} (mark, marked_at, scope, slot, state, city, driver_ids)
SELECT mark, marked_at, scope, slot, state, city,
    arrayMap(id -> reinterpretAsUUID(unhex(id)), extractAll(hex(substring(written, length(written) % 16 + 1)), '.{32}'))
FROM
(
    SELECT mark, marked_at, scope, slot, state, city, CAST(drivers, 'String') AS written
    FROM {{database}}.agg_trips_state{{local}}
    WHERE mark = toUUID('00000000-0000-0000-0000-000000000000')
)
WHERE length(written) >= 16
SETTINGS max_partitions_per_insert_block = 0, insert_deduplicate = 0, max_block_size = 256, max_threads = 1
