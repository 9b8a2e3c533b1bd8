ALTER TABLE {{database}}.region_sources{{local}}
MODIFY SETTING merge_selector_base = 16
