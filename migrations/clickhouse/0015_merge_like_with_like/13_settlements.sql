ALTER TABLE {{database}}.settlements{{local}}
MODIFY SETTING merge_selector_base = 16
