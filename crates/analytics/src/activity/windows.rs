use super::{
    Kind, MONTH, WEEK,
    days::{Since, days_within, slots_within},
    grid, of_events,
};
use crate::{
    query::{Parameters, Query},
    region::RegionFilter,
    selection::Selection,
    source::slices,
    time::{Grid, clamped},
};
use chrono::{DateTime, Utc};

/// Distinct users of the last 1, 7 and 30 local days that end with the range; the one row is a
/// [`WindowsRow`](super::WindowsRow).
///
/// One pass: a user has the narrowest window (3 for the day, 2, 1 for the month) that any activity lies in, and with
/// it the wider ones. One of the unknown region was active in the window, but in no known region.
pub(super) fn query(selection: &Selection) -> Query {
    let windows = Windows::of(selection);
    let grid = grid(selection, windows.month, selection.range.end());
    let region = &selection.region;
    let mut parameters = Parameters::default();
    let days = grid
        .has_slots()
        .then(|| windows.of_days(&grid, region, &mut parameters));
    let mut parts: Vec<String> = days.into_iter().collect();
    for slice in slices(&grid) {
        for events in of_events(Kind::Any, slice, region, &mut parameters) {
            parts.push(windows.of_seconds(&events, &mut parameters));
        }
    }
    let narrowest = match region {
        RegionFilter::Remainder(_) => {
            "maxIf(reach, sign = 1) AS known, maxIf(reach, sign = -1) AS elsewhere"
        }
        _ => "max(reach) AS known, toUInt8(0) AS elsewhere",
    };
    let active = |reach: u8| format!("toInt64(countIf(known >= {reach} AND elsewhere < {reach}))");
    let sql = format!(
        "SELECT {} AS day, {} AS week, {} AS month\nFROM (SELECT {narrowest} FROM\n(\n{}\n)\nGROUP BY person)",
        active(3),
        active(2),
        active(1),
        parts.join("\nUNION ALL\n"),
    );
    parameters.into_query(sql)
}

/// Where the windows begin.
pub(super) struct Windows {
    pub(super) day: DateTime<Utc>,
    pub(super) week: DateTime<Utc>,
    pub(super) month: DateTime<Utc>,
}

impl Windows {
    pub(super) fn of(selection: &Selection) -> Self {
        let start = |days| clamped(selection.range.last_days_start(days));
        Self {
            day: start(1),
            week: start(WEEK),
            month: start(MONTH),
        }
    }

    /// `sign`, `person` and `reach` of the days of the users.
    fn of_days(&self, grid: &Grid, region: &RegionFilter, parameters: &mut Parameters) -> String {
        let day = Since {
            day: "day_day",
            slots: "day_slots",
            at: self.day,
        };
        let week = Since {
            day: "week_day",
            slots: "week_slots",
            at: self.week,
        };
        format!(
            "SELECT sign, person, toUInt8(multiIf({in_day}, 3, {in_week}, 2, 1)) AS reach\n\
             FROM (SELECT {sign} AS sign, user_id AS person, day, {active} AS active FROM user_days \
             WHERE {days} AND {regions})\n\
             WHERE active != 0",
            in_day = day.reached(parameters),
            in_week = week.reached(parameters),
            sign = region.stored_sign(),
            active = slots_within(Kind::Any, grid.core, parameters),
            days = days_within(grid.core, parameters),
            regions = region.stored(parameters),
        )
    }

    /// The same of events, which all lie after the start of the month.
    fn of_seconds(&self, events: &str, parameters: &mut Parameters) -> String {
        let day = parameters.number("day", seconds(self.day));
        let week = parameters.number("week", seconds(self.week));
        format!(
            "SELECT sign, person, toUInt8(multiIf(at >= {day}, 3, at >= {week}, 2, 1)) AS reach FROM ({events})"
        )
    }
}

fn seconds(at: DateTime<Utc>) -> u64 {
    u64::try_from(at.timestamp()).unwrap_or_default()
}
