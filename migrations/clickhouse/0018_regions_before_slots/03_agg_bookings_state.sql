INSERT INTO {{database}}.agg_bookings_state_by_region{{local}} (mark, marked_at, scope, slot, state, city, created, confirmed, cancelled, completed, confirmed_value)
SELECT mark, marked_at, scope, slot, state, city, created, confirmed, cancelled, completed, confirmed_value
FROM {{database}}.agg_bookings_state{{local}}
SETTINGS max_partitions_per_insert_block = 0, insert_deduplicate = 0
