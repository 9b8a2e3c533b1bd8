ALTER TABLE {{database}}.agg_trips_state{{local}}
MODIFY SETTING merge_selector_base = 16
