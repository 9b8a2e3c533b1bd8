ALTER TABLE {{database}}.route_profiles_state{{local}}
MODIFY SETTING merge_selector_base = 16
