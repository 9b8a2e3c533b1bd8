//! Who was active, from the days of the users: a row per UTC day and user, whose bits are the quarters of an hour in
//! which an event names the user. At a bound off that grid the stored events are read.

mod days;
mod hours;
mod local_days;
mod moments;
mod rolling;
pub(crate) mod units;
mod windows;

use clickhouse::Row;
use serde::Deserialize;

pub(crate) use self::{
    moments::last_moments,
    rolling::{ChangeRow, is_within_reach, rolling},
    windows::windows,
};
use crate::{
    query::{Parameters, Query},
    region::RegionFilter,
    selection::Selection,
    source::{Slice, facts},
    time::{Buckets, Grid},
};
use shared_schema::Domain;

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
pub(crate) fn active_by_unit(selection: &Selection) -> Option<Query> {
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

/// Distinct users of the whole range; the one row is an [`ActiveRow`] of unit 0.
pub(crate) fn active_in_all(selection: &Selection) -> Query {
    let (range, region) = (&selection.range, &selection.region);
    let mut parameters = Parameters::default();
    let rows = units::rows(
        Kind::Any,
        &Grid::of(range),
        &Buckets::whole(range),
        region,
        &mut parameters,
    );
    let users = units::distinct(region);
    parameters.into_query(format!(
        "SELECT toUInt64(0) AS unit, {users} AS users\nFROM\n(\n{rows}\n)"
    ))
}

/// What makes a user active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any event that names the user.
    Any,
    /// A booking or trip event that names the user as rider or driver, cancellations excepted.
    Riding,
}

/// Events that name users.
struct Naming {
    domain: Domain,
    /// The users that one names, as `user_id`, `rider_id` or `driver_id`.
    people: &'static str,
    condition: &'static str,
}

const fn naming(domain: Domain, people: &'static str, condition: &'static str) -> Naming {
    Naming {
        domain,
        people,
        condition,
    }
}

const RIDER_AND_DRIVER: &str = "arrayJoin([rider_id, driver_id])";

const ANY: [Naming; 6] = [
    naming(Domain::User, "user_id", "true"),
    naming(Domain::Booking, RIDER_AND_DRIVER, "true"),
    naming(Domain::Payment, "rider_id", "true"),
    naming(Domain::Trip, RIDER_AND_DRIVER, "true"),
    naming(Domain::Route, "driver_id", "true"),
    naming(Domain::Location, "driver_id", "true"),
];

const RIDING: [Naming; 2] = [
    naming(
        Domain::Booking,
        RIDER_AND_DRIVER,
        "event_type != 'booking.cancelled'",
    ),
    naming(
        Domain::Trip,
        RIDER_AND_DRIVER,
        "event_type != 'trip.cancelled'",
    ),
];

/// Whose events tell who registered, and who rode.
pub(crate) const JOINING_AND_RIDING: [Domain; 3] = [Domain::User, Domain::Booking, Domain::Trip];

impl Kind {
    /// The bits of a day of a user.
    const fn column(self) -> &'static str {
        match self {
            Self::Any => "slots",
            Self::Riding => "rode",
        }
    }

    const fn events(self) -> &'static [Naming] {
        match self {
            Self::Any => &ANY,
            Self::Riding => &RIDING,
        }
    }
}

/// One statement per kind of event: `at` (second), `sign`, `person`.
fn of_events(
    kind: Kind,
    slice: Slice,
    region: &RegionFilter,
    parameters: &mut Parameters,
) -> Vec<String> {
    let of = |naming: &Naming| {
        format!(
            "SELECT toUInt64(toUnixTimestamp(event_timestamp)) AS at, {sign} AS sign, {people} AS person\n\
             FROM {facts}\n\
             WHERE {condition} AND {regions}",
            sign = region.fact_sign(),
            people = naming.people,
            facts = facts(naming.domain, slice, region, parameters),
            condition = naming.condition,
            regions = region.facts(parameters),
        )
    };
    kind.events().iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        tests::{everywhere, shown, unknown_off_grid},
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
