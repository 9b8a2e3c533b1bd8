use crate::{
    query::{Parameters, Query},
    region::RegionFilter,
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
/// Its percentiles are not those of the unknown region, since a multiset cannot be taken away from a state: there it
/// has none.
pub(super) fn query(selection: &Selection) -> Query {
    let mut parameters = Parameters::default();
    let rows = FAMILY.rows(selection, &mut parameters);
    let (of_rows, of_sums) = match selection.region {
        RegionFilter::Remainder(_) => ("", "emptyArrayFloat64() AS processing_times"),
        _ => (
            ", quantilesExactInclusiveMergeState(0.5, 0.95)(times) AS times",
            "quantilesExactInclusiveMerge(0.5, 0.95)(times) AS processing_times",
        ),
    };
    let sums = Sums {
        keys: "method, money",
        of_rows: &format!("{ROW_SUMS}{of_rows}"),
        of_sums: &format!("{SUMS}, {of_sums}, {MONEY}"),
    };
    let sql = sums.by_unit_and_method(selection, &rows, &mut parameters);
    parameters.into_query(sql)
}

const ROW_SUMS: &str = "sum(sign * initiated) AS initiated, sum(sign * succeeded) AS succeeded, \
    sum(sign * failed) AS failed, sum(sign * refunded) AS refunded, \
    sum(sign * processing_ms) AS processing_ms, sum(sign * processing_count) AS processing_count, \
    sum(sign * received) AS received, sum(sign * returned) AS returned";

const SUMS: &str = "sum(initiated) AS initiated, sum(succeeded) AS succeeded, sum(failed) AS failed, \
    sum(refunded) AS refunded, sum(processing_ms) AS processing_ms, sum(processing_count) AS processing_count";

const MONEY: &str =
    "sumMap(map(money, received)) AS revenue, sumMap(map(money, returned)) AS refunds";

/// What is added up, in two steps: the many rows once, and the few sums once for every grouping.
pub(super) struct Sums<'a> {
    /// What the sums of the first step are told apart by, beside the unit.
    pub(super) keys: &'a str,
    /// The first step's columns.
    pub(super) of_rows: &'a str,
    /// The second step's.
    pub(super) of_sums: &'a str,
}

impl Sums<'_> {
    /// Groups rows by method, by unit of the series, and all together.
    pub(super) fn by_unit_and_method(
        &self,
        selection: &Selection,
        rows: &str,
        parameters: &mut Parameters,
    ) -> String {
        let Self {
            keys,
            of_rows,
            of_sums,
        } = self;
        let (shown_unit, keys, rows, sets) = match &selection.series {
            None => (
                "toUInt64(0) AS unit",
                (*keys).to_owned(),
                format!("\n(\n{rows}\n)"),
                "(), (method)",
            ),
            Some(buckets) => (
                "unit",
                format!("unit, {keys}"),
                format!(
                    " (SELECT *, {} AS unit FROM\n(\n{rows}\n))",
                    unit_of("at", buckets, parameters)
                ),
                "(), (method), (unit)",
            ),
        };
        format!(
            "SELECT {shown_unit}, toUInt8(grouping(method) = 0) AS of_method, method, {of_sums}\n\
             FROM (SELECT {keys}, {of_rows} FROM{rows} GROUP BY {keys})\n\
             GROUP BY GROUPING SETS ({sets})"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, in_lagos_off_grid, opened, shown, unknown_off_grid};

    #[test]
    fn slots_are_grouped_by_method_and_unit() {
        insta::assert_snapshot!(shown(&query(&everywhere(true))));
    }

    #[test]
    fn the_unknown_region_has_no_percentiles_here() {
        insta::assert_snapshot!(shown(&query(&unknown_off_grid())));
    }

    #[test]
    fn what_can_be_opened_is_of_stored_events() {
        insta::assert_snapshot!(shown(&query(&opened(everywhere(true)))));
    }

    #[test]
    fn a_region_off_the_grid_joins_the_settlements() {
        insta::assert_snapshot!(shown(&query(&in_lagos_off_grid())));
    }
}
