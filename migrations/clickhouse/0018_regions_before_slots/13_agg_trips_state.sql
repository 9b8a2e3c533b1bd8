INSERT INTO {{database}}.agg_trips_state_by_region{{local}} (mark, marked_at, scope, slot, state, city, started, completed, cancelled, duration_minutes, distance_m, on_time, driver_earnings, platform_commission, driver_ids)
SELECT mark, marked_at, scope, slot, state, city, started, completed, cancelled, duration_minutes, distance_m, on_time, driver_earnings, platform_commission, driver_ids
FROM {{database}}.agg_trips_state{{local}}
SETTINGS max_partitions_per_insert_block = 0, insert_deduplicate = 0
