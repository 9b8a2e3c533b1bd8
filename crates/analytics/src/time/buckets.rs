use std::str::FromStr;

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

/// Zones have moved their clocks in whole quarters of an hour for half a century.
const QUARTER: TimeDelta = TimeDelta::minutes(15);
const HOUR_SECONDS: i64 = 3_600;

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

/// No granularity has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is none of hourly, daily, weekly, monthly")]
pub struct UnknownGranularity;

/// The series would have more than [`MAX_POINTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time series would have more than {MAX_POINTS} points")]
pub struct TooManyPoints;

impl FromStr for Granularity {
    type Err = UnknownGranularity;

    fn from_str(text: &str) -> Result<Self, UnknownGranularity> {
        match text {
            "hourly" => Ok(Self::Hourly),
            "daily" => Ok(Self::Daily),
            "weekly" => Ok(Self::Weekly),
            "monthly" => Ok(Self::Monthly),
            _ => Err(UnknownGranularity),
        }
    }
}

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
        let zone = range.zone();
        let mut starts = Vec::new();
        let mut start = granularity.start(zone, range.start());
        while start < range.end() {
            if starts.len() == MAX_POINTS {
                return Err(TooManyPoints);
            }
            starts.push(start);
            start = granularity.next(zone, start);
        }
        Ok(Self { starts, end: start })
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
}

impl Granularity {
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
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn starts(start: &str, end: &str, zone: Tz, granularity: Granularity) -> Vec<String> {
        let range = DateRange::between(at(start), at(end), zone).unwrap();
        let buckets = Buckets::of(&range, granularity).unwrap();
        buckets
            .iter()
            .map(|unit| unit.from.with_timezone(&zone).to_rfc3339())
            .collect()
    }

    #[test]
    fn units_are_those_of_the_local_calendar() {
        let lagos = chrono_tz::Africa::Lagos;
        assert_eq!(
            starts(
                "2024-02-28T12:00:00Z",
                "2024-03-01T23:00:00Z",
                lagos,
                Granularity::Daily
            ),
            [
                "2024-02-28T00:00:00+01:00",
                "2024-02-29T00:00:00+01:00",
                "2024-03-01T00:00:00+01:00"
            ]
        );
        assert_eq!(
            starts(
                "2024-02-28T12:00:00Z",
                "2024-03-04T00:00:00Z",
                lagos,
                Granularity::Weekly
            ),
            ["2024-02-26T00:00:00+01:00", "2024-03-04T00:00:00+01:00"]
        );
        assert_eq!(
            starts(
                "2024-01-31T12:00:00Z",
                "2024-03-01T00:00:00Z",
                lagos,
                Granularity::Monthly
            ),
            [
                "2024-01-01T00:00:00+01:00",
                "2024-02-01T00:00:00+01:00",
                "2024-03-01T00:00:00+01:00"
            ]
        );
    }

    #[test]
    fn hours_follow_clocks_off_the_hour() {
        assert_eq!(
            starts(
                "2024-05-01T00:00:00Z",
                "2024-05-01T01:00:00Z",
                chrono_tz::Asia::Kathmandu,
                Granularity::Hourly
            ),
            ["2024-05-01T05:00:00+05:45", "2024-05-01T06:00:00+05:45"]
        );
    }

    #[test]
    fn a_day_with_a_change_of_clocks_has_all_its_hours() {
        let berlin = chrono_tz::Europe::Berlin;
        let hours = |start, end| starts(start, end, berlin, Granularity::Hourly).len();
        assert_eq!(
            hours("2024-10-27T00:00:00+02:00", "2024-10-28T00:00:00+01:00"),
            25
        );
        assert_eq!(
            hours("2024-03-31T00:00:00+01:00", "2024-04-01T00:00:00+02:00"),
            23
        );
    }

    #[test]
    fn half_an_hour_of_change_makes_a_long_or_a_short_hour() {
        let lord_howe = chrono_tz::Australia::Lord_Howe;
        assert_eq!(
            starts(
                "2024-10-06T01:00:00+10:30",
                "2024-10-06T04:00:00+11:00",
                lord_howe,
                Granularity::Hourly
            ),
            ["2024-10-06T01:00:00+10:30", "2024-10-06T03:00:00+11:00"]
        );
        assert_eq!(
            starts(
                "2018-05-04T22:00:00+08:30",
                "2018-05-05T01:00:00+09:00",
                chrono_tz::Asia::Pyongyang,
                Granularity::Hourly
            ),
            [
                "2018-05-04T22:00:00+08:30",
                "2018-05-04T23:00:00+08:30",
                "2018-05-05T00:00:00+09:00"
            ]
        );
    }

    #[test]
    fn a_day_that_a_zone_skipped_has_no_unit() {
        let apia = chrono_tz::Pacific::Apia;
        assert_eq!(
            starts(
                "2011-12-29T00:00:00-10:00",
                "2012-01-01T00:00:00+14:00",
                apia,
                Granularity::Daily
            ),
            ["2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00"]
        );
    }

    #[test]
    fn units_cover_the_range_without_gap_or_overlap() {
        for zone in [
            chrono_tz::Africa::Lagos,
            chrono_tz::America::Sao_Paulo,
            chrono_tz::America::St_Johns,
        ] {
            let range =
                DateRange::between(at("2018-10-01T05:07:00Z"), at("2019-03-01T00:00:00Z"), zone)
                    .unwrap();
            for granularity in [
                Granularity::Hourly,
                Granularity::Daily,
                Granularity::Weekly,
                Granularity::Monthly,
            ] {
                let buckets = Buckets::of(&range, granularity).unwrap();
                let mut reached = None;
                for unit in buckets.iter() {
                    assert!(
                        unit.from < unit.until
                            && reached.is_none_or(|reached| reached == unit.from)
                    );
                    reached = Some(unit.until);
                }
                assert!(
                    buckets.iter().next().unwrap().from <= range.start()
                        && reached.unwrap() >= range.end()
                );
            }
        }
    }

    #[test]
    fn more_than_ten_thousand_points_are_refused_at_once() {
        let all = DateRange::between(
            at("0000-01-01T00:00:00Z"),
            at("9999-12-31T00:00:00Z"),
            chrono_tz::America::New_York,
        )
        .unwrap();
        for granularity in [
            Granularity::Hourly,
            Granularity::Daily,
            Granularity::Weekly,
            Granularity::Monthly,
        ] {
            assert_eq!(Buckets::of(&all, granularity), Err(TooManyPoints));
        }
        let century = DateRange::between(
            at("1850-01-01T00:00:00Z"),
            at("1850-02-01T00:00:00Z"),
            chrono_tz::Africa::Lagos,
        )
        .unwrap();
        let hours = Buckets::of(&century, Granularity::Hourly).unwrap();
        assert_eq!(hours.len(), 31 * 24 + 1);
    }

    #[test]
    fn rounded_seconds_find_their_unit_again() {
        let range = DateRange::between(
            at("1999-12-30T00:00:00Z"),
            at("2000-01-03T00:00:00Z"),
            chrono_tz::UTC,
        );
        let buckets = Buckets::of(&range.unwrap(), Granularity::Daily).unwrap();
        assert_eq!(buckets.seconds(), [946_684_800, 946_771_200]);
        assert_eq!(buckets.position(946_684_800), Some(2));
        assert_eq!(buckets.position(946_771_200), Some(3));
    }
}
