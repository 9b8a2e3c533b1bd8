use chrono::{DateTime, Days, SecondsFormat, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{
    Moment,
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

    /// The zone that decides what a day is.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Where the last so many local days begin, the last being the one in which the range ends.
    #[must_use]
    pub fn last_days_start(&self, days: u64) -> DateTime<Utc> {
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

fn last_days_start(zone: Tz, end: DateTime<Utc>, days: u64) -> DateTime<Utc> {
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
mod tests {
    use super::*;

    const LAGOS: Tz = chrono_tz::Africa::Lagos;
    const BERLIN: Tz = chrono_tz::Europe::Berlin;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn resolve(
        start: &str,
        end: &str,
        zone: Tz,
    ) -> Result<(DateTime<Utc>, DateTime<Utc>), Reversed> {
        let read = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
        let now = at("2024-06-15T10:20:30+01:00");
        DateRange::resolve(read(start), read(end), zone, now)
            .map(|range| (range.start(), range.end()))
    }

    #[test]
    fn the_end_is_inclusive_to_its_own_precision() {
        for (end, expected) in [
            ("2024-01-31", "2024-02-01T00:00:00+01:00"),
            ("2024-01-31T23:59", "2024-02-01T00:00:00+01:00"),
            ("2024-01-31T23:59:59", "2024-02-01T00:00:00+01:00"),
            ("2024-01-31T23:59:59.9", "2024-02-01T00:00:00+01:00"),
            ("2024-01-31T23:59:59.123", "2024-01-31T23:59:59.124+01:00"),
            (
                "2024-01-31T23:59:59.123456",
                "2024-01-31T23:59:59.124+01:00",
            ),
            ("2024-01-31T23:59:59Z", "2024-02-01T00:00:00Z"),
        ] {
            assert_eq!(
                resolve("2024-01-01", end, LAGOS),
                Ok((at("2024-01-01T00:00:00+01:00"), at(expected))),
                "{end}"
            );
        }
    }

    #[test]
    fn a_start_between_two_milliseconds_is_the_later() {
        let (start, _) = resolve("2024-01-01T00:00:00.0001", "2024-01-02", LAGOS).unwrap();
        assert_eq!(start, at("2024-01-01T00:00:00.001+01:00"));
    }

    #[test]
    fn without_bounds_it_is_the_last_thirty_local_days_with_today() {
        let days = (
            at("2024-05-17T00:00:00+01:00"),
            at("2024-06-16T00:00:00+01:00"),
        );
        assert_eq!(resolve("", "", LAGOS), Ok(days));
        assert_eq!(
            resolve("", "2024-01-31", LAGOS),
            Ok((
                at("2024-01-02T00:00:00+01:00"),
                at("2024-02-01T00:00:00+01:00")
            ))
        );
        assert_eq!(
            resolve("2024-06-15", "", LAGOS),
            Ok((
                at("2024-06-15T00:00:00+01:00"),
                at("2024-06-16T00:00:00+01:00")
            ))
        );
    }

    #[test]
    fn a_start_that_comes_twice_is_the_earlier_and_an_end_the_later() {
        assert_eq!(
            resolve("2024-10-27T02:30:00", "2024-10-27T02:30:00", BERLIN),
            Ok((
                at("2024-10-27T02:30:00+02:00"),
                at("2024-10-27T02:30:01+01:00")
            ))
        );
    }

    #[test]
    fn a_time_in_a_gap_is_the_first_instant_after_it() {
        assert_eq!(
            resolve("2024-03-31T02:10:00", "2024-03-31T02:50:00", BERLIN),
            Ok((
                at("2024-03-31T03:00:00+02:00"),
                at("2024-03-31T03:00:01+02:00")
            ))
        );
    }

    #[test]
    fn days_have_twenty_three_to_twenty_five_hours() {
        for (date, hours) in [("2024-03-31", 23), ("2024-10-27", 25), ("2024-06-01", 24)] {
            let (start, end) = resolve(date, date, BERLIN).unwrap();
            assert_eq!(end - start, TimeDelta::hours(hours), "{date}");
        }
    }

    #[test]
    fn an_end_before_the_start_is_refused() {
        assert!(resolve("2024-01-02", "2024-01-01", LAGOS).is_err());
        assert!(resolve("2030-01-01", "", LAGOS).is_err());
        assert!(resolve("2024-01-01", "2024-01-01", LAGOS).is_ok());
    }

    #[test]
    fn what_is_answered_can_be_asked_again() {
        let read = |text: &str| Some(text.parse().unwrap());
        let now = at("2024-06-15T10:20:30+01:00");
        let range =
            DateRange::resolve(read("2024-01-01"), read("2024-01-31T10:30"), BERLIN, now).unwrap();
        let json = serde_json::to_value(range).unwrap();
        assert_eq!(json["end_date"], "2024-01-31T10:30:59.999+01:00");
        let again = DateRange::resolve(
            read(json["start_date"].as_str().unwrap()),
            read(json["end_date"].as_str().unwrap()),
            BERLIN,
            now,
        );
        assert_eq!(again, Ok(range));
    }

    #[test]
    fn years_far_away_do_no_harm() {
        assert!(resolve("0000-01-01", "9999-12-31", BERLIN).is_ok());
        assert!(resolve("", "0000-01-01", BERLIN).is_ok());
        assert!(
            resolve(
                "9999-12-31T23:59:59-23:59",
                "9999-12-31T23:59:59.999-23:59",
                BERLIN
            )
            .is_ok()
        );
    }
}
