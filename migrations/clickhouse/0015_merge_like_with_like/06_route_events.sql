ALTER TABLE {{database}}.route_events{{local}}
MODIFY SETTING merge_selector_base = 16
