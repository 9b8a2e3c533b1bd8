use clickhouse::Row;
use serde::Deserialize;

use crate::{
    people::{DROP_FIRST, registered},
    query::{Parameters, Query},
    region::RegionFilter,
    selection::Selection,
    source::{Column, Family, unit_of},
    time::clamped,
};
use shared_schema::Domain;

/// Registrations of the whole range (unit 0) or of a unit of the series.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
pub(crate) struct RegistrationRow {
    pub(crate) unit: u64,
    pub(crate) registered: i64,
}

/// Users who registered for the first time in a unit of the series, or before the range (unit 0); without a series all
/// are of unit 0.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
pub(crate) struct PeopleRow {
    pub(crate) unit: u64,
    /// Registered up to the end of the range.
    pub(crate) users: u64,
    /// Registered in the range.
    pub(crate) registered: u64,
    /// Of those registered in the range: verified by now.
    pub(crate) verified: u64,
    /// Of those registered in the range: drivers by now.
    pub(crate) upgraded: u64,
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
pub(crate) fn new_registrations(selection: &Selection) -> Query {
    let measures = "sum(sign * registered) AS registered";
    FAMILY.totals(selection, measures)
}

/// How many users there are, and how far those of the range got by now; the rows are [`PeopleRow`]s.
pub(crate) fn everyone(selection: &Selection) -> Query {
    let mut parameters = Parameters::default();
    let start = parameters.time("start", clamped(selection.range.start()));
    let end = parameters.time("end", clamped(selection.range.end()));
    let now = parameters.time("now", selection.now);
    let people = people(&now, &selection.region, &mut parameters);
    let unit = match &selection.series {
        None => "toUInt64(0)".to_owned(),
        Some(buckets) => {
            let unit = unit_of("toUInt64(toUnixTimestamp(since))", buckets, &mut parameters);
            format!("if(since < {start}, toUInt64(0), {unit})")
        }
    };
    let within = format!("since >= {start}");
    parameters.into_query(format!(
        "SELECT {unit} AS unit, count() AS users, countIf({within}) AS registered, \
         countIf({within} AND status = 'VERIFIED') AS verified, \
         countIf({within} AND ifNull(upgraded_at <= {now}, false)) AS upgraded\n\
         FROM\n\
         (\n\
         {people}\n\
         )\n\
         WHERE since < {end}\n\
         GROUP BY unit\n\
         {DROP_FIRST}"
    ))
}

/// One row per registered user of the filter's regions, with the time of the first registration and the KYC status.
fn people(now: &str, region: &RegionFilter, parameters: &mut Parameters) -> String {
    // A status of a producer whose clock is ahead counts from its own time on.
    let status = format!(
        "if(empty(kyc_ahead), kyc_latest.status, arrayMax(arrayFilter(known -> known.at <= {now}, \
         arrayPushBack(kyc_ahead, kyc_latest))).status)"
    );
    let columns = format!("assumeNotNull(registered_at) AS since, {status} AS status, upgraded_at");
    registered(&columns, region, None, parameters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, in_lagos_off_grid, shown};

    #[test]
    fn users_are_counted_once_whatever_is_known_of_them() {
        insta::assert_snapshot!("everywhere", shown(&everyone(&everywhere(false))));
        insta::assert_snapshot!("in_lagos", shown(&everyone(&in_lagos_off_grid())));
    }

    #[test]
    fn registrations_are_counted_by_event() {
        insta::assert_snapshot!(shown(&new_registrations(&in_lagos_off_grid())));
    }

    #[test]
    fn a_series_counts_users_by_their_first_registration() {
        insta::assert_snapshot!(shown(&everyone(&everywhere(true))));
    }
}
