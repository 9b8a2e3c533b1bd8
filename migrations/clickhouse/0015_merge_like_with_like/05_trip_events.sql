ALTER TABLE {{database}}.trip_events{{local}}
MODIFY SETTING merge_selector_base = 16
