use super::{
    Kind,
    days::{days_within, slots_within},
    of_events,
};
use crate::{
    query::{Parameters, Query},
    region::RegionFilter,
    source::{slices, unit_of},
    time::{Buckets, Grid},
};

/// Distinct users of every unit of a series, told apart in each of them.
pub(super) fn query(grid: &Grid, buckets: &Buckets, region: &RegionFilter) -> Query {
    let mut parameters = Parameters::default();
    let rows = rows(Kind::Any, grid, buckets, region, &mut parameters);
    let unit = unit_of("at", buckets, &mut parameters);
    let users = distinct(region);
    parameters.into_query(format!(
        "SELECT {unit} AS unit, {users} AS users\nFROM\n(\n{rows}\n)\nGROUP BY unit"
    ))
}

/// `at` (second), `sign` and `person`: at least one row for each unit of a series in which a person was active.
pub(crate) fn rows(
    kind: Kind,
    grid: &Grid,
    buckets: &Buckets,
    region: &RegionFilter,
    parameters: &mut Parameters,
) -> String {
    let days = grid
        .has_slots()
        .then(|| of_days(kind, grid, buckets, region, parameters));
    let mut parts: Vec<String> = days.into_iter().collect();
    for slice in slices(grid) {
        parts.extend(of_events(kind, slice, region, parameters));
    }
    parts.join("\nUNION ALL\n")
}

/// How many persons rows of `sign` and `person` name: of the unknown region those that no known one has.
pub(crate) fn distinct(region: &RegionFilter) -> &'static str {
    match region {
        RegionFilter::Remainder(_) => {
            "toInt64(uniqExactIf(person, sign = 1)) - toInt64(uniqExactIf(person, sign = -1))"
        }
        _ => "toInt64(uniqExact(person))",
    }
}

/// `at`, `sign` and `person`: at least one row per day of a user and unit of the series.
fn of_days(
    kind: Kind,
    grid: &Grid,
    buckets: &Buckets,
    region: &RegionFilter,
    parameters: &mut Parameters,
) -> String {
    let days = format!(
        "SELECT toInt64(day) * 86400 AS midnight, {sign} AS sign, user_id AS person, {active} AS active \
         FROM user_days WHERE {days} AND {regions}",
        sign = region.stored_sign(),
        active = slots_within(kind, grid.core, parameters),
        days = days_within(grid.core, parameters),
        regions = region.stored(parameters),
    );
    if !buckets.at_most_two_a_day() {
        return format!(
            "SELECT toUInt64(midnight + 900 * arrayJoin(bitPositionsToArray(active))) AS at, sign, person FROM ({days})"
        );
    }
    // A unit may begin in the day; what is before belongs to the one that the day begins in.
    let cut = unit_of("toUInt64(midnight + 86399)", buckets, parameters);
    format!(
        "SELECT toUInt64(at) AS at, sign, person\n\
         FROM (SELECT *, greatest(toInt64({cut}), midnight) AS cut, bitShiftLeft(toUInt128(1), \
         intDiv(cut - midnight + 899, 900)) - 1 AS early FROM ({days}))\n\
         ARRAY JOIN [midnight, cut] AS at, [bitAnd(active, early), bitAnd(active, bitNot(early))] AS part\n\
         WHERE part != 0"
    )
}
