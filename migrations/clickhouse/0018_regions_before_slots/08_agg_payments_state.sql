INSERT INTO {{database}}.agg_payments_state_by_region{{local}} (mark, marked_at, scope, slot, state, city, payment_method, currency, initiated, succeeded, failed, refunded, revenue, refunded_value, processing_ms, processing_count, processing_quantiles)
SELECT mark, marked_at, scope, slot, state, city, payment_method, currency, initiated, succeeded, failed, refunded, revenue, refunded_value, processing_ms, processing_count, processing_quantiles
FROM {{database}}.agg_payments_state{{local}}
SETTINGS max_partitions_per_insert_block = 0, insert_deduplicate = 0
