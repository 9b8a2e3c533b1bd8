//! Who was active, from the days of the users: a row per UTC day and user, whose bits are the quarters of an hour in
//! which an event names the user. At a bound off that grid the stored events are read.

mod days;
mod hours;
mod local_days;
mod units;
mod windows;

use clickhouse::Row;
use serde::Deserialize;

pub use self::windows::windows;
use crate::{
    query::{Parameters, Query},
    region::RegionFilter,
    selection::Selection,
    source::{Slice, facts},
    time::Grid,
};
use shared_schema::Domain;

pub(super) const WEEK: u64 = 7;
pub(super) const MONTH: u64 = 30;

/// Distinct users of three windows.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
pub struct WindowsRow {
    pub(super) day: i64,
    pub(super) week: i64,
    pub(super) month: i64,
}

/// Distinct users of a unit of the series.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
pub struct ActiveRow {
    pub(super) unit: u64,
    pub(super) users: i64,
}

/// Distinct users of every unit of the series; the rows are [`ActiveRow`]s. Nothing where no series is wanted.
#[must_use]
pub fn active_by_unit(selection: &Selection) -> Option<Query> {
    let buckets = selection.series.as_ref()?;
    let grid = Grid::of(&selection.range);
    let on_the_grid = grid.slices().next().is_none();
    let region = &selection.region;
    Some(match buckets.day_starts() {
        _ if !on_the_grid => units::query(&grid, buckets, region),
        Some(starts) => local_days::query(grid.core, starts, region),
        None if buckets.are_hours_of_utc() => hours::query(grid.core, region),
        None => units::query(&grid, buckets, region),
    })
}

/// The users that an event names, as `user_id`, `rider_id` or `driver_id`.
const PEOPLE: [(Domain, &str); 6] = [
    (Domain::User, "user_id"),
    (Domain::Booking, "arrayJoin([rider_id, driver_id])"),
    (Domain::Payment, "rider_id"),
    (Domain::Trip, "arrayJoin([rider_id, driver_id])"),
    (Domain::Route, "driver_id"),
    (Domain::Location, "driver_id"),
];

/// One statement per kind of event: `at` (second), `sign`, `person`.
fn of_events(
    slice: Slice,
    region: &RegionFilter,
    parameters: &mut Parameters,
) -> [String; PEOPLE.len()] {
    PEOPLE.map(|(domain, people)| {
        format!(
            "SELECT toUInt64(toUnixTimestamp(event_timestamp)) AS at, {sign} AS sign, {people} AS person\n\
             FROM {facts}\n\
             WHERE {regions}",
            sign = region.fact_sign(),
            facts = facts(domain, slice, region, parameters),
            regions = region.facts(parameters),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        tests::{everywhere, shown, unknown_off_grid},
        time::{Buckets, Granularity},
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
        insta::assert_snapshot!(shown(&windows(&everywhere(false))));
    }

    #[test]
    fn an_end_off_the_grid_reads_every_kind_of_event() {
        insta::assert_snapshot!(shown(&windows(&unknown_off_grid())));
    }

    #[test]
    fn a_series_counts_each_unit() {
        insta::assert_snapshot!(shown(&active_by_unit(&everywhere(true)).unwrap()));
        assert_eq!(active_by_unit(&everywhere(false)), None);
    }

    #[test]
    fn days_off_the_grid_are_cut_by_themselves() {
        let mut selection = unknown_off_grid();
        selection.series = Some(Buckets::of(&selection.range, Granularity::Daily).unwrap());
        insta::assert_snapshot!(shown(&active_by_unit(&selection).unwrap()));
    }

    #[test]
    fn hours_are_counted_by_their_bits() {
        insta::assert_snapshot!(shown(&active_by_unit(&hourly(everywhere(false))).unwrap()));
    }

    #[test]
    fn hours_off_the_grid_are_told_apart_by_every_bit() {
        let query = active_by_unit(&hourly(unknown_off_grid())).unwrap();
        insta::assert_snapshot!(shown(&query));
    }
}
