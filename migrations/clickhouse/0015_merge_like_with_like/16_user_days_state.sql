ALTER TABLE {{database}}.user_days_state{{local}}
MODIFY SETTING merge_selector_base = 16
