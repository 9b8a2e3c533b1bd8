use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use super::{
    Kind,
    days::{days_within, slots_within},
};
use crate::{
    query::Parameters,
    region::RegionFilter,
    source::{Slice, settled_facts, slices},
    time::{DateRange, Grid, Kept, Span, clamped},
};

/// `person`, `moment` (milliseconds since 1970), `state` and `city`: when each user was active last in each of the
/// filter's regions, and, if those are all, where that is not settled (without a state).
///
/// The days of the users know the last moment of a day. Of the day of UTC in which the range ends the stored events are
/// read, or, where those are gone, its quarters of an hour, each standing for its start.
pub(crate) fn last_moments(
    range: &DateRange,
    region: &RegionFilter,
    now: DateTime<Utc>,
    parameters: &mut Parameters,
) -> String {
    let (start, end) = (clamped(range.start()), clamped(range.end()));
    let midnight = end.duration_trunc(TimeDelta::days(1)).unwrap_or(end);
    let days = Span {
        from: start,
        until: midnight,
    };
    let last = Span {
        from: midnight.max(start),
        until: end,
    };
    let mut parts = vec![of_days(days, region, parameters)];
    if Kept::Locations.since(now) <= last.from {
        parts.extend(of_events(Slice::tail(last), region, parameters));
    } else {
        let grid = Grid::between(last.from, last.until);
        parts.push(of_slots(grid.core, region, parameters));
        for slice in slices(&grid) {
            parts.extend(of_events(slice, region, parameters));
        }
    }
    parts.join("\nUNION ALL\n")
}

/// The rows of the days of the users that are needed.
fn stored(region: &RegionFilter, parameters: &mut Parameters) -> String {
    match region {
        RegionFilter::Everywhere | RegionFilter::Remainder(_) => "true".to_owned(),
        _ => region.stored(parameters),
    }
}

/// Whole days of UTC, the first cut at the start of the range.
fn of_days(days: Span, region: &RegionFilter, parameters: &mut Parameters) -> String {
    format!(
        "SELECT user_id AS person, greatest({LAST}, {SLOT}) AS moment, toString(state) AS state, toString(city) AS city\n\
         FROM (SELECT *, slots AS active FROM user_days WHERE {days} AND {regions})\n\
         WHERE moment >= {start}",
        start = parameters.milliseconds("start", days.from),
        days = days_within(days, parameters),
        regions = stored(region, parameters),
    )
}

/// The quarters of an hour of a part of a day.
fn of_slots(part: Span, region: &RegionFilter, parameters: &mut Parameters) -> String {
    format!(
        "SELECT user_id AS person, {SLOT} AS moment, toString(state) AS state, toString(city) AS city\n\
         FROM (SELECT *, {active} AS active FROM user_days WHERE {days} AND {regions})\n\
         WHERE active != 0",
        active = slots_within(Kind::Any, part, parameters),
        days = days_within(part, parameters),
        regions = stored(region, parameters),
    )
}

const LAST: &str = "toUnixTimestamp64Milli(last_at)";
/// Where the last of the bits `active` begins. Days that were stored before `last_at` was have no other moment.
const SLOT: &str = "(toInt64(day) * 96 + toInt64(bitPositionsToArray(active)[-1])) * 900000";

fn of_events(slice: Slice, region: &RegionFilter, parameters: &mut Parameters) -> Vec<String> {
    let of = |naming: &super::Naming| {
        format!(
            "SELECT {people} AS person, toUnixTimestamp64Milli(event_timestamp) AS moment, toString(state) AS state, \
             toString(city) AS city\n\
             FROM {facts}\n\
             WHERE {condition} AND {regions}",
            people = naming.people,
            condition = naming.condition,
            facts = settled_facts(naming.domain, slice, parameters),
            regions = region.facts(parameters),
        )
    };
    Kind::Any.events().iter().map(of).collect()
}
