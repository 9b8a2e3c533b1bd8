ALTER TABLE {{database}}.dead_letters{{local}}
MODIFY SETTING merge_selector_base = 16
