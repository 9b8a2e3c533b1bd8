use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::Deserialize;

use shared_schema::{Domain, EventType};

use crate::{
    query::{Parameters, Query},
    selection::{Selection, unsettled_that},
    source::{settled_payments, slices, slots_within},
};

/// The refunds of a method in a currency.
#[derive(Clone, Debug, Row, Deserialize)]
pub(super) struct RefundRow {
    /// The method of the refunded payment; empty if it was never seen.
    pub method: String,
    /// The currency.
    pub currency: String,
    /// How many.
    pub refunded: i64,
    /// Their sum in hundredths.
    pub refunds: i128,
}

/// The settled refunds by method; the rows are [`RefundRow`]s.
///
/// To be sent before the statement of the totals: what is settled then is in the total, so that the remainder under
/// the method `unknown` is never negative.
pub(super) fn refunds_by_method(selection: &Selection) -> Query {
    let mut parameters = Parameters::default();
    let grid = selection.grid();
    let mut parts = Vec::new();
    if grid.has_slots() {
        parts.push(format!(
            "SELECT toString(payment_method) AS method, toString(currency) AS money, \
             toUInt64(refunded) AS events, toDecimal128(refunded_value, 2) AS returned\n\
             FROM agg_payments\n\
             WHERE {slots} AND {regions} AND refunded > 0",
            slots = slots_within(grid.core, &mut parameters),
            regions = selection.region.settled(&mut parameters),
        ));
    }
    for slice in slices(&grid) {
        let slice = slice.of_type(EventType::PaymentRefunded);
        let facts = settled_payments(slice, &mut parameters);
        parts.push(format!(
            "SELECT toString(settled_method) AS method, toString(currency) AS money, toUInt64(1) AS events, \
             toDecimal128(ifNull(refund_amount, 0), 2) AS returned\n\
             FROM {facts}\n\
             WHERE {regions}",
            regions = selection.region.own(&mut parameters),
        ));
    }
    let rows = parts.join("\nUNION ALL\n");
    parameters.into_query(format!(
        "SELECT method, money AS currency, toInt64(sum(events)) AS refunded, sum(returned) AS refunds\n\
         FROM\n\
         (\n\
         {rows}\n\
         )\n\
         GROUP BY method, money"
    ))
}

/// Counts the payments in the range that no regional number holds yet. Where no region is asked of, those are the
/// refunds without a method: of everything else the method stands in the event.
#[must_use]
pub fn unsettled_facts(selection: &Selection) -> Query {
    let refunds = || without_method(selection.range.start(), selection.range.end());
    selection
        .unsettled(&[Domain::Payment])
        .unwrap_or_else(refunds)
}

/// Counts the refunds between two instants whose method is not known yet.
pub(crate) fn without_method(start: DateTime<Utc>, end: DateTime<Utc>) -> Query {
    unsettled_that("payment_method IS NULL", &[Domain::Payment], start, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, in_lagos_off_grid, opened, shown, unknown_off_grid};

    #[test]
    fn settled_rows_know_the_method() {
        insta::assert_snapshot!(shown(&refunds_by_method(&everywhere(false))));
    }

    #[test]
    fn without_a_region_only_refunds_wait_for_anything() {
        insta::assert_snapshot!("unsettled", shown(&unsettled_facts(&everywhere(false))));
        let regional = unsettled_facts(&in_lagos_off_grid());
        assert!(!regional.sql.contains("payment_method"), "{}", regional.sql);
    }

    #[test]
    fn bounds_off_the_grid_ask_the_settlements() {
        insta::assert_snapshot!("in_lagos", shown(&refunds_by_method(&in_lagos_off_grid())));
        insta::assert_snapshot!("unknown", shown(&refunds_by_method(&unknown_off_grid())));
        insta::assert_snapshot!(
            "opened",
            shown(&refunds_by_method(&opened(everywhere(false))))
        );
    }
}
