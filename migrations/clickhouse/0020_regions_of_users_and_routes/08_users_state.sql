DROP TABLE IF EXISTS {{database}}.users_state_by_region{{local}}
SETTINGS max_table_size_to_drop = 0
