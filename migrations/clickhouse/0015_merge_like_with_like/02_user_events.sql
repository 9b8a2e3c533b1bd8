ALTER TABLE {{database}}.user_events{{local}}
MODIFY SETTING merge_selector_base = 16
