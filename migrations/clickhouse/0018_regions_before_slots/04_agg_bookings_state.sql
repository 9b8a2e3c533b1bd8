EXCHANGE TABLES {{database}}.agg_bookings_state_by_region{{local}} AND {{database}}.agg_bookings_state{{local}}
