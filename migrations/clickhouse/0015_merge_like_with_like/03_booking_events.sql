ALTER TABLE {{database}}.booking_events{{local}}
MODIFY SETTING merge_selector_base = 16
