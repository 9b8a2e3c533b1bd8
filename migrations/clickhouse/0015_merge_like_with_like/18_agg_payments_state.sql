ALTER TABLE {{database}}.agg_payments_state{{local}}
MODIFY SETTING merge_selector_base = 16
