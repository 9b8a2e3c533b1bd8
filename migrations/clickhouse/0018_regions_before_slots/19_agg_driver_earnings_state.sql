EXCHANGE TABLES {{database}}.agg_driver_earnings_state_by_region{{local}} AND {{database}}.agg_driver_earnings_state{{local}}
