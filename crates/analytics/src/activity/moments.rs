use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use super::{
    Kind, Reading,
    days::{days_within, slots_within},
};
use crate::{
    query::Parameters,
    region::RegionFilter,
    selection::Selection,
    source::{Slice, slices},
    time::{DateRange, Grid, Kept, Span, clamped},
};

/// `moment` (milliseconds since 1970), `state`, `city` and `person`: when each user was active last in each of the
/// filter's regions, and, if those are all, where that is not settled (without a state).
///
/// The days of the users know the last moment of a day. Of the day of UTC in which the range ends the stored events are
/// read, or, where those are gone, its quarters of an hour, each standing for its start. At a pin all is events.
pub(crate) fn last_moments(selection: &Selection, parameters: &mut Parameters) -> String {
    let (range, region) = (&selection.range, &selection.region);
    match selection.opening {
        None => stored_moments(range, region, selection.now, parameters),
        Some(_) => moments(&selection.grid(), region, "", parameters),
    }
}

/// The same of the events of a grid, with further columns of each.
pub(crate) fn moments(
    grid: &Grid<'_>,
    region: &RegionFilter,
    further: &str,
    parameters: &mut Parameters,
) -> String {
    let of = |slice| of_events(slice, region, further, parameters);
    let events: Vec<String> = slices(grid).flat_map(of).collect();
    events.join("\nUNION ALL\n")
}

fn stored_moments(
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
        parts.extend(of_events(Slice::tail(last), region, "", parameters));
    } else {
        let grid = Grid::between(last.from, last.until);
        parts.push(of_slots(grid.core, region, parameters));
        for slice in slices(&grid) {
            parts.extend(of_events(slice, region, "", parameters));
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
        "SELECT greatest({LAST}, {SLOT}) AS moment, toString(state) AS state, toString(city) AS city, user_id AS person\n\
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
        "SELECT {SLOT} AS moment, toString(state) AS state, toString(city) AS city, user_id AS person\n\
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

fn of_events(
    slice: Slice,
    region: &RegionFilter,
    further: &str,
    parameters: &mut Parameters,
) -> Vec<String> {
    let columns = format!(
        "toUnixTimestamp64Milli(event_timestamp) AS moment, toString(state) AS state, toString(city) AS city{further}"
    );
    let reading = Reading {
        kind: Kind::Any,
        region,
        columns: &columns,
        with_regions: true,
        further: "",
    };
    reading.of_events(slice, parameters)
}
