ALTER TABLE {{database}}.agg_users_state{{local}}
MODIFY SETTING merge_selector_base = 16
