EXCHANGE TABLES {{database}}.users_state_by_region{{local}} AND {{database}}.users_state{{local}}
