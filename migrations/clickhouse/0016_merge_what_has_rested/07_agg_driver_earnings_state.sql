ALTER TABLE {{database}}.agg_driver_earnings_state{{local}}
MODIFY SETTING min_age_to_force_merge_seconds = 3600, max_bytes_to_merge_at_max_space_in_pool = 2147483648, enable_max_bytes_limit_for_min_age_to_force_merge = 1
