EXCHANGE TABLES {{database}}.route_profiles_state_by_region{{local}} AND {{database}}.route_profiles_state{{local}}
