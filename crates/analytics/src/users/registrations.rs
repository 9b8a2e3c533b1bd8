use clickhouse::Row;
use serde::Deserialize;

use crate::{
    query::{Parameters, Query},
    region::RegionFilter,
    selection::Selection,
    source::{Column, Family, unit_of},
    time::clamped,
};
use shared_schema::Domain;

/// Registrations of the whole range (unit 0) or of a unit of the series.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
pub struct RegistrationRow {
    pub(super) unit: u64,
    pub(super) registered: i64,
}

/// Users by their registration.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
pub struct CohortRow {
    /// Registered up to the end of the range.
    pub(super) total: u64,
    /// Registered in the range.
    pub(super) registered: u64,
    /// Of those: verified.
    pub(super) verified: u64,
    /// Of those: drivers by now.
    pub(super) upgraded: u64,
}

/// Users who registered for the first time in a unit of the series, or before the series (unit 0).
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
pub struct FirstRow {
    pub(super) unit: u64,
    pub(super) users: u64,
}

const FAMILY: Family = Family {
    slots: "agg_users",
    domain: Domain::User,
    event_types: "'user.registered'",
    keys: &[],
    measures: &[Column {
        name: "registered",
        of_slot: "registered",
        of_events: "count()",
    }],
};

/// Counts the registrations of the range; the rows are [`RegistrationRow`]s.
#[must_use]
pub fn new_registrations(selection: &Selection) -> Query {
    let measures = "sum(sign * registered) AS registered";
    FAMILY.totals(selection, measures)
}

/// How many users there are, and how far those of the range got by now; the one row is a [`CohortRow`].
#[must_use]
pub fn cohort(selection: &Selection) -> Query {
    let mut parameters = Parameters::default();
    let start = parameters.time("start", clamped(selection.range.start()));
    let end = parameters.time("end", clamped(selection.range.end()));
    let now = parameters.time("now", selection.now);
    // A status of a producer whose clock is ahead counts from its own time on.
    let status = format!(
        "if(empty(kyc_ahead), kyc_latest.status, arrayMax(arrayFilter(known -> known.at <= {now}, arrayPushBack(kyc_ahead, kyc_latest))).status)"
    );
    let people = people(
        selection,
        &format!(", {status} AS status, upgraded_at AS upgraded_since"),
        &mut parameters,
    );
    let within = format!("since >= {start} AND since < {end}");
    parameters.into_query(format!(
        "SELECT countIf(since < {end}) AS total, countIf({within}) AS registered, countIf({within} AND status = 'VERIFIED') AS verified, countIf({within} AND ifNull(upgraded_since <= {now}, false)) AS upgraded\nFROM\n(\n{people}\n)"
    ))
}

/// Counts first registrations by unit; the rows are [`FirstRow`]s. Nothing where no series is wanted.
#[must_use]
pub fn first_registrations(selection: &Selection) -> Option<Query> {
    let buckets = selection.series.as_ref()?;
    let mut parameters = Parameters::default();
    let start = parameters.time("start", clamped(selection.range.start()));
    let end = parameters.time("end", clamped(selection.range.end()));
    let people = people(selection, "", &mut parameters);
    let unit = unit_of("toUInt64(toUnixTimestamp(since))", buckets, &mut parameters);
    Some(parameters.into_query(format!(
        "SELECT if(since < {start}, toUInt64(0), {unit}) AS unit, count() AS users\nFROM\n(\n{people}\n)\nWHERE since < {end}\nGROUP BY unit"
    )))
}

/// One row per registered user of the filter's regions, with the time of the first registration.
fn people(selection: &Selection, columns: &str, parameters: &mut Parameters) -> String {
    let registered = format!(
        "SELECT assumeNotNull(registered_at) AS since, state, city{columns}\nFROM user_profiles\nWHERE registered_at IS NOT NULL"
    );
    match &selection.region {
        RegionFilter::Everywhere => registered,
        region => format!("{registered} AND {}", region.own(parameters)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, in_lagos_off_grid, shown};

    #[test]
    fn users_are_counted_once_whatever_is_known_of_them() {
        insta::assert_snapshot!("everywhere", shown(&cohort(&everywhere(false))));
        insta::assert_snapshot!("in_lagos", shown(&cohort(&in_lagos_off_grid())));
    }

    #[test]
    fn registrations_are_counted_by_event() {
        insta::assert_snapshot!(shown(&new_registrations(&in_lagos_off_grid())));
    }

    #[test]
    fn a_series_counts_first_registrations() {
        insta::assert_snapshot!(shown(&first_registrations(&everywhere(true)).unwrap()));
        assert_eq!(first_registrations(&everywhere(false)), None);
    }
}
