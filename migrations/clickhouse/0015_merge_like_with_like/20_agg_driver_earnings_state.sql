ALTER TABLE {{database}}.agg_driver_earnings_state{{local}}
MODIFY SETTING merge_selector_base = 16
