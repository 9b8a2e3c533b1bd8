ALTER TABLE {{database}}.trip_progress_state{{local}}
MODIFY SETTING merge_selector_base = 16
