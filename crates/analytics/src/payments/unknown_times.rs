use std::collections::HashMap;

use clickhouse::Row;
use serde::Deserialize;
use shared_schema::Domain;

use super::{
    PaymentRow,
    statement::{Sums, TIMES},
};
use crate::{
    query::{Parameters, Query},
    region::RegionFilter,
    selection::Selection,
    source::{settled_facts, slices, slots_within},
    time::Grid,
};

/// Percentiles of the whole range, a method, or a unit of the series.
#[derive(Clone, Debug, Row, Deserialize)]
pub(super) struct TimesRow {
    unit: u64,
    of_method: u8,
    method: String,
    processing_times: Vec<f64>,
}

/// The processing times of the unknown region; the rows are [`TimesRow`]s. Nothing where the region is another.
///
/// Percentiles cannot be subtracted, so they are taken over the facts themselves: those that were settled as
/// unknown, and those that wait. A fact that is being settled may be among these and have left the counts already, for
/// as long as its settling cannot end.
pub(super) fn unknown_times(selection: &Selection) -> Option<Query> {
    if !matches!(selection.region, RegionFilter::Remainder(_)) {
        return None;
    }
    let mut parameters = Parameters::default();
    let grid = selection.grid();
    let mut parts = Vec::new();
    if grid.has_slots() {
        parts.push(format!(
            "SELECT toUInt64(toUnixTimestamp(slot)) AS at, toString(payment_method) AS method, \
             processing_quantiles AS times\n\
             FROM agg_payments\n\
             WHERE {slots} AND {regions}",
            slots = slots_within(grid.core, &mut parameters),
            regions = selection.region.settled(&mut parameters),
        ));
        parts.push(waiting(&grid, &mut parameters));
    }
    for slice in slices(&grid) {
        let facts = settled_facts(Domain::Payment, slice, &mut parameters);
        let regions = selection.region.own(&mut parameters);
        parts.push(of_events(&facts, &regions));
    }
    let rows = parts.join("\nUNION ALL\n");
    let sums = Sums {
        keys: "method",
        of_rows: "quantilesExactInclusiveMergeState(0.5, 0.95)(times) AS times",
        of_sums: "quantilesExactInclusiveMerge(0.5, 0.95)(times) AS processing_times",
    };
    let sql = sums.by_unit_and_method(selection, &rows, &mut parameters);
    Some(parameters.into_query(sql))
}

/// The facts of the whole slots that wait for their region.
fn waiting(grid: &Grid, parameters: &mut Parameters) -> String {
    let from = parameters.time("core_from", grid.core.from);
    let until = parameters.time("core_until", grid.core.until);
    of_events(
        "waiting_payment",
        &format!("event_timestamp >= {from} AND event_timestamp < {until}"),
    )
}

fn of_events(facts: &str, condition: &str) -> String {
    format!(
        "SELECT toUInt64(toUnixTimestamp(event_timestamp)) AS at, \
         ifNull(toString(payment_method), '') AS method, {TIMES} AS times\n\
         FROM {facts}\n\
         WHERE event_type = 'payment.success' AND {condition}\n\
         GROUP BY at, method"
    )
}

/// Puts these percentiles into the rows that they belong to.
pub(super) fn replace(rows: &mut [PaymentRow], times: Vec<TimesRow>) {
    let mut known: HashMap<(u64, u8, String), Vec<f64>> = times
        .into_iter()
        .map(|row| ((row.unit, row.of_method, row.method), row.processing_times))
        .collect();
    for row in rows {
        let key = (row.unit, row.of_method, row.method.clone());
        row.processing_times = known.remove(&key).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, opened, shown, unknown_off_grid};

    #[test]
    fn they_are_taken_over_what_is_settled_as_unknown_and_what_waits() {
        insta::assert_snapshot!(shown(&unknown_times(&unknown_off_grid()).unwrap()));
        let opened = unknown_times(&opened(unknown_off_grid())).unwrap();
        insta::assert_snapshot!("opened", shown(&opened));
    }

    #[test]
    fn other_regions_have_them_in_their_aggregate() {
        assert_eq!(unknown_times(&everywhere(false)), None);
    }
}
