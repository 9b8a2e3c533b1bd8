ALTER TABLE {{database}}.location_events{{local}}
MODIFY SETTING merge_selector_base = 16
