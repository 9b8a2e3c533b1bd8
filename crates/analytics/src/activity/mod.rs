//! Who was active, from the days of the users: a row per UTC day and user, whose bits are the quarters of an hour in
//! which an event names the user. At a bound off that grid the stored events are read.

mod asked;
mod days;
mod hours;
mod local_days;
mod moments;
mod naming;
mod rolling;
pub(crate) mod units;
mod windows;

use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::Deserialize;

use self::naming::of_events;
pub(crate) use self::{
    asked::{active_by_unit, active_in_all, active_in_last, windows},
    moments::{last_moments, moments},
    naming::{JOINING_AND_RIDING, Kind, Reading},
    rolling::is_within_reach,
};
use crate::{
    query::{Parameters, Query},
    selection::Selection,
    time::{Buckets, Grid, Kept},
};

pub(crate) const WEEK: u64 = 7;
pub(crate) const MONTH: u64 = 30;

/// Distinct users of three windows.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
pub(crate) struct WindowsRow {
    pub(crate) day: i64,
    pub(crate) week: i64,
    pub(crate) month: i64,
}

/// Distinct users of a unit of the series.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
pub(crate) struct ActiveRow {
    pub(crate) unit: u64,
    pub(crate) users: i64,
}

/// Distinct users of every unit of the series; the rows are [`ActiveRow`]s. Nothing where no series is wanted.
fn by_unit(selection: &Selection) -> Option<Query> {
    let (range, buckets) = (&selection.range, selection.series.as_ref()?);
    let grid = grid(selection, range.start(), range.end());
    let on_the_grid = grid.slices().next().is_none();
    let region = &selection.region;
    Some(match buckets.day_starts() {
        _ if !on_the_grid => units::query(&grid, buckets, region),
        Some(starts) => local_days::query(grid.core, starts, region),
        None if buckets.are_hours_of_utc() => hours::query(grid.core, region),
        None => units::query(&grid, buckets, region),
    })
}

/// Distinct users of the whole range; the one row is an [`ActiveRow`] of unit 0.
fn in_all(selection: &Selection) -> Query {
    let (range, region) = (&selection.range, &selection.region);
    let mut parameters = Parameters::default();
    let rows = units::rows(
        Kind::Any,
        &grid(selection, range.start(), range.end()),
        &Buckets::whole(range),
        region,
        &mut parameters,
    );
    let users = units::distinct(region);
    parameters.into_query(format!(
        "SELECT toUInt64(0) AS unit, {users} AS users\nFROM\n(\n{rows}\n)"
    ))
}

/// A time as days of the users and stretches of stored events; at a pin as events, no earlier than all kinds are kept.
fn grid(selection: &Selection, start: DateTime<Utc>, end: DateTime<Utc>) -> Grid<'_> {
    let start = read_from(selection, start);
    selection.grid_between(start, end.max(start))
}

/// Where reading begins for what begins at an instant.
fn read_from(selection: &Selection, start: DateTime<Utc>) -> DateTime<Utc> {
    match selection.opening {
        None => start,
        Some(_) => start.max(Kept::Locations.since(selection.now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        tests::{everywhere, opened, shown, unknown_off_grid},
        time::Granularity,
    };

    fn hourly(selection: Selection) -> Selection {
        let series = Buckets::of(&selection.range, Granularity::Hourly).unwrap();
        Selection {
            series: Some(series),
            ..selection
        }
    }

    #[test]
    fn one_pass_tells_all_windows() {
        insta::assert_snapshot!(shown(&windows::query(&everywhere(false))));
    }

    #[test]
    fn an_end_off_the_grid_reads_every_kind_of_event() {
        insta::assert_snapshot!(shown(&windows::query(&unknown_off_grid())));
    }

    #[test]
    fn what_can_be_opened_is_of_events_that_were_durable_and_settled() {
        let mut selection = opened(unknown_off_grid());
        selection.now = selection.range.end();
        insta::assert_snapshot!("opened", shown(&windows::query(&selection)));
        let in_all = shown(&in_all(&opened(everywhere(false))));
        assert!(!in_all.contains("user_days"), "{in_all}");
        // no earlier than positions are kept: January was asked for on 1 March
        assert!(
            in_all.contains("-- head_from = 2024-01-31 00:00:00.000"),
            "{in_all}"
        );
    }

    #[test]
    fn a_series_counts_each_unit() {
        insta::assert_snapshot!(shown(&by_unit(&everywhere(true)).unwrap()));
        assert_eq!(by_unit(&everywhere(false)), None);
    }

    #[test]
    fn days_off_the_grid_are_cut_by_themselves() {
        let mut selection = unknown_off_grid();
        selection.series = Some(Buckets::of(&selection.range, Granularity::Daily).unwrap());
        insta::assert_snapshot!(shown(&by_unit(&selection).unwrap()));
    }

    #[test]
    fn hours_are_counted_by_their_bits() {
        insta::assert_snapshot!(shown(&by_unit(&hourly(everywhere(false))).unwrap()));
    }

    #[test]
    fn hours_off_the_grid_are_told_apart_by_every_bit() {
        let query = by_unit(&hourly(unknown_off_grid())).unwrap();
        insta::assert_snapshot!(shown(&query));
    }
}
