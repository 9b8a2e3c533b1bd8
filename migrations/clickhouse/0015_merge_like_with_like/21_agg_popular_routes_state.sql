ALTER TABLE {{database}}.agg_popular_routes_state{{local}}
MODIFY SETTING merge_selector_base = 16
