ALTER TABLE {{database}}.users_state{{local}}
MODIFY SETTING merge_selector_base = 16
