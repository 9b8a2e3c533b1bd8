use shared_schema::Domain;

use super::Day;
use crate::{
    comparison::Comparison,
    facts::{OF_THE_DAY, PLACE, SLOT, SLOTS_OF_THE_DAY, scoped},
};

/// `agg_payments`. The percentiles are compared through the values that they are taken of: their number, sum, and the
/// two that are kept.
pub(super) fn slots(day: &Day) -> Comparison {
    // What a refund does not say, settling found out; the total has no method for it.
    let method = "if(scope = 'total', ifNull(toString(payment_method), ''), \
        ifNull(toString(payment_method), toString(settled_method)))";
    let timed = "event_type = 'payment.success' AND processing_time_ms IS NOT NULL";
    let money = |column: &str, event: &str| {
        format!("sum(if(event_type = '{event}', toDecimal128({column}, 2), toDecimal128(0, 2)))")
    };
    let expected = format!(
        "SELECT (scope, {SLOT}, in_state, in_city, {method}, toString(currency)) AS key,
            (countIf(event_type = 'payment.initiated'), countIf(event_type = 'payment.success'),
             countIf(event_type = 'payment.failed'), countIf(event_type = 'payment.refunded'), {received}, {returned},
             sumIf(toUInt64(assumeNotNull(processing_time_ms)), {timed}), countIf({timed}),
             quantilesExactInclusiveIf(0.5, 0.95)(assumeNotNull(processing_time_ms), {timed})) AS value,
            min({PLACE}) AS place
         FROM {} GROUP BY key",
        scoped(Domain::Payment, OF_THE_DAY),
        received = money("assumeNotNull(amount)", "payment.success"),
        returned = money("assumeNotNull(refund_amount)", "payment.refunded"),
    );
    let found = format!(
        "SELECT (toString(scope), slot, toString(state), toString(city), toString(payment_method), toString(currency)) AS key,
            (sum(initiated), sum(succeeded), sum(failed), sum(refunded), sum(revenue), sum(refunded_value),
             sum(processing_ms), sum(processing_count), quantilesExactInclusiveMerge(0.5, 0.95)(processing_quantiles)) AS value
         FROM agg_payments WHERE {SLOTS_OF_THE_DAY} GROUP BY key"
    );
    day.comparison("agg_payments", expected, found)
}
