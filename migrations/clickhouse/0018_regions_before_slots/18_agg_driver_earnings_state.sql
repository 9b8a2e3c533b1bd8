INSERT INTO {{database}}.agg_driver_earnings_state_by_region{{local}} (mark, marked_at, scope, slot, driver_id, state, city, trips, earnings, distance_m, on_time)
SELECT mark, marked_at, scope, slot, driver_id, state, city, trips, earnings, distance_m, on_time
FROM {{database}}.agg_driver_earnings_state{{local}}
SETTINGS max_partitions_per_insert_block = 0, insert_deduplicate = 0
