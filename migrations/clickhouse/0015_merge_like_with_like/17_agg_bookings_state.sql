ALTER TABLE {{database}}.agg_bookings_state{{local}}
MODIFY SETTING merge_selector_base = 16
