EXCHANGE TABLES {{database}}.agg_payments_state_by_region{{local}} AND {{database}}.agg_payments_state{{local}}
