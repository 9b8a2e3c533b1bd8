use std::borrow::Cow;

use chrono::{
    DateTime, Datelike as _, Days, Months, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta,
    TimeZone, Utc,
};
use chrono_tz::Tz;
use serde::{Serialize, Serializer, ser::SerializeStruct};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{
    Granularity, Moment, Span,
    local::{day_start, earliest, latest, local_date},
};

/// Days that a range has when nobody says where it begins.
const DEFAULT_DAYS: u64 = 30;

/// The instants from `start` up to, not including, `end`, in whole milliseconds, on the clock of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateRange {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    zone: Tz,
}

/// A range of time with both bounds included, so that they can be sent back as they are.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes how a range is written")]
struct Written {
    /// The first millisecond, on the local clock.
    #[schema(example = "2024-01-01T00:00:00.000+01:00")]
    start_date: String,
    /// The last millisecond, on the local clock.
    #[schema(example = "2024-01-31T23:59:59.999+01:00")]
    end_date: String,
    /// The zone whose clock it is.
    #[schema(example = "Africa/Lagos")]
    tz: String,
}

impl PartialSchema for DateRange {
    fn schema() -> RefOr<Schema> {
        Written::schema()
    }
}

impl ToSchema for DateRange {
    fn name() -> Cow<'static, str> {
        "DateRange".into()
    }
}

/// The range would hold nothing: its start is not before its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the range begins at {start}, after its end")]
pub struct Reversed {
    /// The first instant, on the local clock.
    pub start: String,
}

impl DateRange {
    /// The range between two bounds, the end inclusive to its own precision.
    ///
    /// Without a start, it is the 30 local days up to the day in which it ends; without an end, it goes to the
    /// end of the local day of `now`.
    ///
    /// # Errors
    /// When it ends before it begins.
    pub fn resolve(
        start: Option<Moment>,
        end: Option<Moment>,
        zone: Tz,
        now: DateTime<Utc>,
    ) -> Result<Self, Reversed> {
        let end = match end {
            Some(end) => end_of(end, zone),
            None => day_start(zone, local_date(zone, now) + Days::new(1)),
        };
        let start = match start {
            Some(start) => start_of(start, zone),
            None => last_days_start(zone, end, DEFAULT_DAYS),
        };
        Self::between(start, end, zone)
    }

    /// The range between two instants, each moved to the next whole millisecond.
    ///
    /// # Errors
    /// When it ends before it begins.
    pub fn between(start: DateTime<Utc>, end: DateTime<Utc>, zone: Tz) -> Result<Self, Reversed> {
        let (start, end) = (next_millisecond(start), next_millisecond(end));
        match start < end {
            true => Ok(Self { start, end, zone }),
            false => Err(Reversed {
                start: on_clock(zone, start),
            }),
        }
    }

    /// The first instant.
    #[must_use]
    pub fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// The instant after the last.
    #[must_use]
    pub fn end(&self) -> DateTime<Utc> {
        self.end
    }

    /// Its instants.
    pub(crate) fn span(&self) -> Span {
        Span {
            from: self.start,
            until: self.end,
        }
    }

    /// The zone that decides what a day is.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The range so many units earlier on the local clock, that number being the units that it touches; none where the
    /// calendar ends. Before a range that ends on a day which the month lacks, it ends with the month. Before one that begins
    /// on such a day, it begins with the last day, and, within one month, is no longer.
    pub(crate) fn moved_back(&self, units: usize, granularity: Granularity) -> Option<Self> {
        let units = u32::try_from(units).ok()?;
        if granularity == Granularity::Hourly {
            let hours = TimeDelta::hours(units.into());
            let (start, end) = (
                self.start.checked_sub_signed(hours)?,
                self.end.checked_sub_signed(hours)?,
            );
            return Self::between(start, end, self.zone).ok();
        }
        let clock = |at: DateTime<Utc>| at.with_timezone(&self.zone).naive_local();
        let (start, end) = (clock(self.start), clock(self.end));
        let days = |days: u32| {
            let days = Days::new(days.into());
            Some((start.checked_sub_days(days)?, end.checked_sub_days(days)?))
        };
        let (start, end) = match granularity {
            Granularity::Monthly => months_before(start, end, Months::new(units))?,
            Granularity::Weekly => days(units.checked_mul(7)?)?,
            _ => days(units)?,
        };
        let (start, end) = (earliest(self.zone, start), earliest(self.zone, end));
        Self::between(start, end, self.zone).ok()
    }

    /// Where the last so many local days begin, the last being the one in which the range ends.
    pub(crate) fn last_days_start(&self, days: u64) -> DateTime<Utc> {
        last_days_start(self.zone, self.end, days)
    }
}

impl Serialize for DateRange {
    /// Both bounds inclusive and on the local clock, so that they can be sent back as they are.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut range = serializer.serialize_struct("DateRange", 3)?;
        range.serialize_field("start_date", &on_clock(self.zone, self.start))?;
        let last = self.end - TimeDelta::milliseconds(1);
        range.serialize_field("end_date", &on_clock(self.zone, last))?;
        range.serialize_field("tz", self.zone.name())?;
        range.end()
    }
}

/// The bounds of a range on the clock, the end being the instant after the last, so many months earlier, so that it touches
/// as many.
fn months_before(
    start: NaiveDateTime,
    end: NaiveDateTime,
    months: Months,
) -> Option<(NaiveDateTime, NaiveDateTime)> {
    let (first, last) = (
        start.checked_sub_months(months)?,
        end.checked_sub_months(months)?,
    );
    let length = end - start;
    let end = match last.day() == end.day() {
        true => last,
        false => {
            let next = last
                .date()
                .with_day(1)?
                .checked_add_months(Months::new(1))?;
            next.and_time(NaiveTime::MIN)
        }
    };
    let is_of_one = months == Months::new(1);
    let end = match is_of_one && first.day() != start.day() {
        true => end.min(first.checked_add_signed(length)?),
        false => end,
    };
    Some((first, end))
}

/// RFC 3339 with milliseconds, with the offset that the zone has at that time.
pub(crate) fn on_clock(zone: Tz, at: DateTime<Utc>) -> String {
    zone.from_utc_datetime(&at.naive_utc())
        .to_rfc3339_opts(SecondsFormat::Millis, false)
}

fn start_of(moment: Moment, zone: Tz) -> DateTime<Utc> {
    match moment {
        Moment::Day(date) => day_start(zone, date),
        Moment::Local { clock, .. } => earliest(zone, clock),
        Moment::Instant { at, .. } => at,
    }
}

fn end_of(moment: Moment, zone: Tz) -> DateTime<Utc> {
    match moment {
        Moment::Day(date) => day_start(zone, date + Days::new(1)),
        Moment::Local { clock, precision } => latest(zone, clock) + precision,
        Moment::Instant { at, precision } => at + precision,
    }
}

/// Where the last so many local days up to an instant begin.
pub(crate) fn last_days_start(zone: Tz, end: DateTime<Utc>, days: u64) -> DateTime<Utc> {
    let last = local_date(zone, end - TimeDelta::nanoseconds(1));
    day_start(zone, last - Days::new(days.saturating_sub(1)))
}

/// Events have whole milliseconds, so that a bound between two of them stands for the later.
fn next_millisecond(at: DateTime<Utc>) -> DateTime<Utc> {
    let beyond = at.timestamp_subsec_nanos() % 1_000_000;
    match beyond {
        0 => at,
        _ => at + TimeDelta::nanoseconds(i64::from(1_000_000 - beyond)),
    }
}

#[cfg(test)]
mod tests;
