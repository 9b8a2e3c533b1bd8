use crate::{
    query::{Parameters, Query},
    selection::Selection,
    source::{Column, Family, unit_of},
};
use shared_schema::Domain;

pub(super) const TYPES: &str =
    "'payment.initiated', 'payment.success', 'payment.failed', 'payment.refunded'";

const FAMILY: Family = Family {
    slots: "agg_payments",
    domain: Domain::Payment,
    event_types: TYPES,
    keys: &[
        Column {
            name: "method",
            of_slot: "toString(payment_method)",
            of_events: "ifNull(toString(payment_method), '')",
        },
        Column {
            name: "money",
            of_slot: "toString(currency)",
            of_events: "toString(currency)",
        },
    ],
    measures: &[
        Column {
            name: "initiated",
            of_slot: "initiated",
            of_events: "countIf(event_type = 'payment.initiated')",
        },
        Column {
            name: "succeeded",
            of_slot: "succeeded",
            of_events: "countIf(event_type = 'payment.success')",
        },
        Column {
            name: "failed",
            of_slot: "failed",
            of_events: "countIf(event_type = 'payment.failed')",
        },
        Column {
            name: "refunded",
            of_slot: "refunded",
            of_events: "countIf(event_type = 'payment.refunded')",
        },
        Column {
            name: "received",
            of_slot: "revenue",
            of_events: "sumIf(toDecimal128(ifNull(amount, 0), 2), event_type = 'payment.success')",
        },
        Column {
            name: "returned",
            of_slot: "refunded_value",
            of_events: "sumIf(toDecimal128(ifNull(refund_amount, 0), 2), event_type = 'payment.refunded')",
        },
        Column {
            name: "processing_ms",
            of_slot: "processing_ms",
            of_events: "sumIf(toUInt64(ifNull(processing_time_ms, 0)), event_type = 'payment.success')",
        },
        Column {
            name: "processing_count",
            of_slot: "processing_count",
            of_events: "countIf(event_type = 'payment.success' AND processing_time_ms IS NOT NULL)",
        },
        Column {
            name: "times",
            of_slot: "processing_quantiles",
            of_events: TIMES,
        },
    ],
};

/// The processing times of some events, as the aggregate keeps them.
pub(super) const TIMES: &str = "quantilesExactInclusiveStateIf(0.5, 0.95)(assumeNotNull(processing_time_ms), \
    event_type = 'payment.success' AND processing_time_ms IS NOT NULL)";

/// The statement; its rows are [`PaymentRow`](super::PaymentRow)s.
///
/// Its percentiles are not those of the unknown region, since a multiset cannot be taken away from a state.
#[must_use]
pub fn query(selection: &Selection) -> Query {
    let mut parameters = Parameters::default();
    let rows = FAMILY.rows(selection, &mut parameters);
    let sql = by_unit_and_method(selection, MEASURES, &rows, &mut parameters);
    parameters.into_query(sql)
}

const MEASURES: &str = "sum(sign * initiated) AS initiated, sum(sign * succeeded) AS succeeded, \
    sum(sign * failed) AS failed, sum(sign * refunded) AS refunded, \
    sum(sign * processing_ms) AS processing_ms, sum(sign * processing_count) AS processing_count, \
    quantilesExactInclusiveMergeIf(0.5, 0.95)(times, sign = 1) AS processing_times, \
    sumMap(map(money, sign * received)) AS revenue, sumMap(map(money, sign * returned)) AS refunds";

/// Groups rows by method, by unit of the series, and all together.
pub(super) fn by_unit_and_method(
    selection: &Selection,
    measures: &str,
    rows: &str,
    parameters: &mut Parameters,
) -> String {
    let (unit, sets) = match &selection.series {
        None => ("toUInt64(0)".to_owned(), "(), (method)"),
        Some(buckets) => (unit_of("at", buckets, parameters), "(), (method), (unit)"),
    };
    let shown_unit = if selection.series.is_some() {
        "unit"
    } else {
        "toUInt64(0) AS unit"
    };
    format!(
        "SELECT {shown_unit}, toUInt8(grouping(method) = 0) AS of_method, method, {measures}\nFROM (SELECT *, {unit} AS unit FROM\n(\n{rows}\n))\nGROUP BY GROUPING SETS ({sets})"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, in_lagos_off_grid, shown};

    #[test]
    fn slots_are_grouped_by_method_and_unit() {
        insta::assert_snapshot!(shown(&query(&everywhere(true))));
    }

    #[test]
    fn a_region_off_the_grid_joins_the_settlements() {
        insta::assert_snapshot!(shown(&query(&in_lagos_off_grid())));
    }
}
