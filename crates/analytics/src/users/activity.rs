use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::Deserialize;

use crate::{
    query::{Parameters, Query},
    region::RegionFilter,
    selection::Selection,
    source::{Slice, facts, slices, slots_within, unit_of},
    time::{Grid, clamped},
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

/// Distinct users of the last 1, 7 and 30 local days that end with the range; the one row is a [`WindowsRow`].
///
/// One pass: a user was active in a window if the last activity lies in it. One of the unknown region was active in
/// the window, but in no known region.
#[must_use]
pub fn windows(selection: &Selection) -> Query {
    let range = &selection.range;
    let (day, week, month) = (
        range.last_days_start(1),
        range.last_days_start(WEEK),
        range.last_days_start(MONTH),
    );
    let mut parameters = Parameters::default();
    let rows = rows(
        &Grid::between(month, range.end()),
        &selection.region,
        &mut parameters,
    );
    let (day, week) = (
        parameters.number("day", seconds(day)),
        parameters.number("week", seconds(week)),
    );
    let month = parameters.number("month", seconds(month));
    let last = match selection.region {
        RegionFilter::Remainder(_) => {
            "maxIf(at, sign = 1) AS last, maxIf(at, sign = -1) AS last_known"
        }
        _ => "max(at) AS last, toUInt64(0) AS last_known",
    };
    let active =
        |since: &str| format!("toInt64(countIf(last >= {since} AND last_known < {since}))");
    let sql = format!(
        "SELECT {} AS day, {} AS week, {} AS month\nFROM (SELECT {last} FROM\n(\n{rows}\n)\nGROUP BY person)",
        active(&day),
        active(&week),
        active(&month),
    );
    parameters.into_query(sql)
}

/// Distinct users of every unit of the series; the rows are [`ActiveRow`]s. Nothing where no series is wanted.
#[must_use]
pub fn active_by_unit(selection: &Selection) -> Option<Query> {
    let buckets = selection.series.as_ref()?;
    let mut parameters = Parameters::default();
    let rows = rows(
        &Grid::of(&selection.range),
        &selection.region,
        &mut parameters,
    );
    let unit = unit_of("at", buckets, &mut parameters);
    let users = match selection.region {
        RegionFilter::Remainder(_) => {
            "toInt64(uniqExactIf(person, sign = 1)) - toInt64(uniqExactIf(person, sign = -1))"
        }
        _ => "toInt64(uniqExact(person))",
    };
    Some(parameters.into_query(format!(
        "SELECT {unit} AS unit, {users} AS users\nFROM\n(\n{rows}\n)\nGROUP BY unit"
    )))
}

/// One row per time that a user is named, or per quarter of an hour with such times.
fn rows(grid: &Grid, region: &RegionFilter, parameters: &mut Parameters) -> String {
    let mut parts = vec![format!(
        "SELECT toUInt64(toUnixTimestamp(slot)) AS at, {sign} AS sign, user_id AS person\nFROM user_activity\nWHERE {slots} AND {regions}",
        sign = region.stored_sign(),
        slots = slots_within(grid.core, parameters),
        regions = region.stored(parameters),
    )];
    for slice in slices(grid) {
        for (domain, people) in PEOPLE {
            parts.push(of_events(domain, people, slice, region, parameters));
        }
    }
    parts.join("\nUNION ALL\n")
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

fn of_events(
    domain: Domain,
    people: &str,
    slice: Slice,
    region: &RegionFilter,
    parameters: &mut Parameters,
) -> String {
    format!(
        "SELECT toUInt64(toUnixTimestamp(event_timestamp)) AS at, {sign} AS sign, {people} AS person\nFROM {facts}\nWHERE {regions}",
        sign = region.fact_sign(),
        facts = facts(domain, slice, region, parameters),
        regions = region.facts(parameters),
    )
}

fn seconds(at: DateTime<Utc>) -> u64 {
    u64::try_from(clamped(at).timestamp()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, shown, unknown_off_grid};

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
}
