-- Users and routes per region too, for readers who may see some regions only: what they are told depends on nothing
-- elsewhere. A copy takes the table's place once it is whole. Here goes that of a run that was cut short: before the
-- exchange and after it, all rows are in the table of the name.
DROP TABLE IF EXISTS {{database}}.users_state_by_region{{local}}
SETTINGS max_table_size_to_drop = 0
