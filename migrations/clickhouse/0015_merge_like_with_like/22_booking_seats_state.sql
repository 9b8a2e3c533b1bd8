ALTER TABLE {{database}}.booking_seats_state{{local}}
MODIFY SETTING merge_selector_base = 16
