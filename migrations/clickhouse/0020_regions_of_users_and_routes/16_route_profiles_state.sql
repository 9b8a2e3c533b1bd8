DROP TABLE IF EXISTS {{database}}.route_profiles_state_by_region{{local}}
SETTINGS max_table_size_to_drop = 0
