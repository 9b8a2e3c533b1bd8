-- Its rows are in the days of the users.
DROP TABLE IF EXISTS {{database}}.user_activity_state{{local}}
