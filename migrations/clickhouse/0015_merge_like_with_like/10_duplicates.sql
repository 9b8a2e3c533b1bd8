ALTER TABLE {{database}}.duplicates{{local}}
MODIFY SETTING merge_selector_base = 16
