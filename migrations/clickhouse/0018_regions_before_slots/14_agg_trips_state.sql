EXCHANGE TABLES {{database}}.agg_trips_state_by_region{{local}} AND {{database}}.agg_trips_state{{local}}
