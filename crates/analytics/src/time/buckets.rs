use chrono::{DateTime, Datelike, Days, Months, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{
    DateRange, Span,
    grid::clamped,
    local::{day_start, local_date},
};

/// Points that a time series may have.
pub const MAX_POINTS: usize = 10_000;

/// Pieces that a statement may cut a range into: their starts, each of ten digits and a comma, must fit into the 128 KiB that
/// ClickHouse allows for a parameter. Days since 2000 do until 2031.
const MAX_PIECES: usize = 11_500;

/// Zones have moved their clocks in whole quarters of an hour for half a century.
const QUARTER: TimeDelta = TimeDelta::minutes(15);
const HOUR_SECONDS: i64 = 3_600;
const DAY_SECONDS: u64 = 86_400;

/// The width of a time series' points, on the clock of the request's zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Granularity {
    /// From one full hour on the local clock to the next.
    Hourly,
    /// Local days.
    #[default]
    Daily,
    /// ISO weeks, which begin on Monday.
    Weekly,
    /// Calendar months.
    Monthly,
}

/// The second of a UTC day at which a local day begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DayStarts {
    /// At first.
    pub(crate) second: u64,
    /// From which UTC day on, counted since 1970, it is another one.
    pub(crate) moved: Option<(i64, u64)>,
}

impl DayStarts {
    fn last(&self) -> u64 {
        self.moved.map_or(self.second, |(_, second)| second)
    }
}

/// The series would have more than [`MAX_POINTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer would have too many points; at most {MAX_POINTS} are allowed")]
pub struct TooManyPoints;

/// The calendar units that a range touches, one after the other without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets {
    starts: Vec<DateTime<Utc>>,
    /// Where the last one ends, which may lie beyond the range.
    end: DateTime<Utc>,
}

impl Buckets {
    /// The units of a range.
    ///
    /// # Errors
    /// When there are more than [`MAX_POINTS`].
    pub fn of(range: &DateRange, granularity: Granularity) -> Result<Self, TooManyPoints> {
        Self::up_to(MAX_POINTS, range, granularity)
    }

    /// The units that a range is cut into for a statement, which are no points of an answer.
    ///
    /// # Errors
    /// When there are more than [`MAX_PIECES`].
    pub(crate) fn pieces(
        range: &DateRange,
        granularity: Granularity,
    ) -> Result<Self, TooManyPoints> {
        Self::up_to(MAX_PIECES, range, granularity)
    }

    fn up_to(
        most: usize,
        range: &DateRange,
        granularity: Granularity,
    ) -> Result<Self, TooManyPoints> {
        let zone = range.zone();
        let mut starts = Vec::new();
        let mut start = granularity.start(zone, range.start());
        while start < range.end() {
            if starts.len() == most {
                return Err(TooManyPoints);
            }
            starts.push(start);
            start = granularity.next(zone, start);
        }
        Ok(Self { starts, end: start })
    }

    /// The range as one unit.
    pub(crate) fn whole(range: &DateRange) -> Self {
        Self {
            starts: vec![range.start()],
            end: range.end(),
        }
    }

    /// Whether a unit begins at an instant.
    pub(crate) fn begins_at(&self, at: DateTime<Utc>) -> bool {
        self.starts.binary_search(&at).is_ok()
    }

    /// These units, and so many that follow.
    ///
    /// # Errors
    /// When there are more than [`MAX_POINTS`].
    pub(crate) fn followed_by(
        mut self,
        units: usize,
        zone: Tz,
        granularity: Granularity,
    ) -> Result<Self, TooManyPoints> {
        if self.starts.len() + units > MAX_POINTS {
            return Err(TooManyPoints);
        }
        for _ in 0..units {
            self.starts.push(self.end);
            self.end = granularity.next(zone, self.end);
        }
        Ok(self)
    }

    /// Those of the units that are over at an instant.
    pub(crate) fn over_at(&self, at: DateTime<Utc>) -> Option<Self> {
        let over = self.iter().take_while(|unit| unit.until <= at);
        let over: Vec<Span> = over.collect();
        let end = over.last()?.until;
        Some(Self {
            starts: over.into_iter().map(|unit| unit.from).collect(),
            end,
        })
    }

    /// From the start of the first unit to the end of the last.
    pub(crate) fn span(&self) -> Span {
        Span {
            from: self.starts.first().copied().unwrap_or(self.end),
            until: self.end,
        }
    }

    /// Start and end of every unit, in order.
    pub fn iter(&self) -> impl Iterator<Item = Span> {
        let ends = self.starts.iter().skip(1).chain([&self.end]);
        self.starts.iter().zip(ends).map(|(from, until)| Span {
            from: *from,
            until: *until,
        })
    }

    /// How many units there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The unit that begins at a second, or where the first begins if that lies before all stored events.
    pub(crate) fn position(&self, second: u64) -> Option<usize> {
        let second = i64::try_from(second).ok()?;
        self.starts
            .partition_point(|start| clamped(*start).timestamp() <= second)
            .checked_sub(1)
    }

    /// Where the units begin, in seconds since 1970, for SQL to round down to. Those without events are left out.
    pub(crate) fn seconds(&self) -> Vec<u64> {
        let mut seconds: Vec<u64> = self
            .starts
            .iter()
            .filter_map(|start| u64::try_from(clamped(*start).timestamp()).ok())
            .collect();
        seconds.dedup();
        seconds
    }

    /// Where the first unit begins and how wide each is, both in seconds, if all are equally wide. A division finds
    /// a unit much faster than a search, and only a change of the clock, a month or times before 1970 need one.
    pub(crate) fn steps(&self) -> Option<(u64, u64)> {
        let seconds = self.seconds();
        // the width of the last unit counts too: what lies in a longer one would be divided among two
        let end = u64::try_from(clamped(self.end).timestamp()).ok()?;
        let ends = seconds.iter().skip(1).chain([&end]);
        let mut widths = seconds.iter().zip(ends).map(|(start, end)| end - start);
        let width = widths.next().filter(|width| *width > 0)?;
        let first = *seconds.first()?;
        widths.all(|other| other == width).then_some((first, width))
    }

    /// Whether every unit is an hour from one full hour of UTC to the next.
    pub(crate) fn are_hours_of_utc(&self) -> bool {
        let hour = HOUR_SECONDS.unsigned_abs();
        self.steps()
            .is_some_and(|(first, width)| width == hour && first.is_multiple_of(hour))
    }

    /// Where in the UTC days the units begin, if one begins in each, on a full quarter of an hour. `None` also where
    /// the clock was moved more than once.
    pub(crate) fn day_starts(&self) -> Option<DayStarts> {
        let quarter = QUARTER.num_seconds().unsigned_abs();
        let end = u64::try_from(clamped(self.end).timestamp()).ok()?;
        let mut starts = self
            .seconds()
            .into_iter()
            .chain([end])
            .map(|start| (start / DAY_SECONDS, start % DAY_SECONDS));
        let (mut day, second) = starts.next()?;
        let mut known = DayStarts {
            second,
            moved: None,
        };
        for (next, second) in starts {
            match (next == day + 1, second == known.last(), known.moved) {
                (true, true, _) => {}
                (true, false, None) => known.moved = Some((i64::try_from(next).ok()?, second)),
                _ => return None,
            }
            day = next;
        }
        let seconds = [known.second, known.last()];
        seconds
            .iter()
            .all(|second| second.is_multiple_of(quarter))
            .then_some(known)
    }

    /// Whether at most one unit begins within a UTC day, its first instant not counted.
    pub(crate) fn at_most_two_a_day(&self) -> bool {
        let seconds = self.seconds();
        let mut within = seconds
            .iter()
            .filter(|second| !second.is_multiple_of(DAY_SECONDS))
            .map(|second| second / DAY_SECONDS);
        let mut before = None;
        within.all(|day| before.replace(day) != Some(day))
    }
}

impl Granularity {
    /// Where the first unit begins that does so at an instant or after it.
    pub(super) fn first_from(self, zone: Tz, at: DateTime<Utc>) -> DateTime<Utc> {
        let start = self.start(zone, at);
        match start < at {
            true => self.next(zone, start),
            false => start,
        }
    }

    /// The start of the unit that holds an instant.
    fn start(self, zone: Tz, at: DateTime<Utc>) -> DateTime<Utc> {
        let date = local_date(zone, at);
        match self {
            Self::Hourly => hour_start(zone, at),
            Self::Daily => day_start(zone, date),
            Self::Weekly => day_start(
                zone,
                date - Days::new(date.weekday().num_days_from_monday().into()),
            ),
            Self::Monthly => day_start(zone, date.with_day(1).unwrap_or(date)),
        }
    }

    /// The start of the unit after the one that begins at `start`.
    fn next(self, zone: Tz, start: DateTime<Utc>) -> DateTime<Utc> {
        let date = local_date(zone, start);
        match self {
            Self::Hourly => next_hour(zone, start),
            Self::Daily => day_start(zone, date + Days::new(1)),
            Self::Weekly => day_start(zone, date + Days::new(7)),
            Self::Monthly => day_start(zone, date + Months::new(1)),
        }
    }
}

/// Seconds that the clock shows beyond a full hour.
fn past_the_hour(zone: Tz, at: DateTime<Utc>) -> i64 {
    i64::from(at.with_timezone(&zone).num_seconds_from_midnight()) % HOUR_SECONDS
}

/// The last full hour on the clock. Where a zone moved its clock by half an hour, that may be more than an hour ago.
fn hour_start(zone: Tz, at: DateTime<Utc>) -> DateTime<Utc> {
    let seconds = at.timestamp();
    let quarter = at
        - TimeDelta::seconds(seconds.rem_euclid(QUARTER.num_seconds()))
        - TimeDelta::nanoseconds(at.timestamp_subsec_nanos().into());
    (0..8)
        .map(|steps| quarter - QUARTER * steps)
        .find(|candidate| past_the_hour(zone, *candidate) == 0)
        // The clock is off the quarters, as all were before there were time zones.
        .unwrap_or_else(|| {
            let second = DateTime::from_timestamp(seconds, 0).unwrap_or(at);
            second - TimeDelta::seconds(past_the_hour(zone, second))
        })
}

fn next_hour(zone: Tz, start: DateTime<Utc>) -> DateTime<Utc> {
    (1..=4)
        .map(|steps| start + QUARTER * steps)
        .find(|candidate| past_the_hour(zone, *candidate) == 0)
        .unwrap_or_else(|| {
            let later = start + TimeDelta::seconds(HOUR_SECONDS);
            later + TimeDelta::seconds(HOUR_SECONDS - past_the_hour(zone, later))
        })
}

#[cfg(test)]
mod tests;
