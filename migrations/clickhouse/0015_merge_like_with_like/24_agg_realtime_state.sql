ALTER TABLE {{database}}.agg_realtime_state{{local}}
MODIFY SETTING merge_selector_base = 16
