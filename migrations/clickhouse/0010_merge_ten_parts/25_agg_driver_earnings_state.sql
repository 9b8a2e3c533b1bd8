ALTER TABLE {{database}}.agg_driver_earnings_state{{local}}
MODIFY SETTING merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0, min_parts_to_merge_at_once = 10
