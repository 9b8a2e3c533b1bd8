CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.agg_payments_from_payment TO {{database}}.agg_payments_state{{local}} AS
SELECT mark, max(if(mark = toUUID('00000000-0000-0000-0000-000000000000'), toDateTime(0, 'UTC'), toDateTime(decided_at))) AS marked_at,
    scope, toStartOfFifteenMinutes(toDateTime(event_timestamp)) AS slot, state, city, ifNull(toString(method), '') AS payment_method, currency,
    countIf(event_type = 'payment.initiated') AS initiated,
    countIf(event_type = 'payment.success') AS succeeded,
    countIf(event_type = 'payment.failed') AS failed,
    countIf(event_type = 'payment.refunded') AS refunded,
    sumIf(ifNull(amount, toDecimal64(0, 2)), event_type = 'payment.success') AS revenue,
    sumIf(ifNull(refund_amount, toDecimal64(0, 2)), event_type = 'payment.refunded') AS refunded_value,
    sumIf(ifNull(processing_time_ms, 0), event_type = 'payment.success') AS processing_ms,
    countIf(event_type = 'payment.success' AND processing_time_ms IS NOT NULL) AS processing_count,
    quantilesExactInclusiveStateIf(0.5, 0.95)(assumeNotNull(processing_time_ms), event_type = 'payment.success' AND processing_time_ms IS NOT NULL) AS processing_quantiles
FROM
(
    SELECT * EXCEPT (state, city, payment_method), payment_method AS method, arrayJoin(multiIf(mark != toUUID('00000000-0000-0000-0000-000000000000'), ['total'], phase = 'settle', ['region'], region_settled, ['total', 'region'], ['total']))::Enum8('total' = 0, 'region' = 1) AS scope,
        if(scope = 'region', state, '') AS state, if(scope = 'region', city, '') AS city
    FROM {{database}}.in_payment
)
GROUP BY mark, scope, slot, state, city, payment_method, currency
