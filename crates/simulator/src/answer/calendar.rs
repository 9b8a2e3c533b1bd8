//! Local days, hours, weeks and months of an IANA zone, as instants.

use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone,
    Timelike,
};
use chrono_tz::Tz;

/// The width of a time series' points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granularity {
    /// From one full hour on the local clock to the next.
    Hourly,
    /// Local days.
    Daily,
    /// ISO weeks, which begin on Monday.
    Weekly,
    /// Calendar months.
    Monthly,
}

/// `instant` on the clock of `zone`.
pub(super) fn local(zone: Tz, instant_ms: i64) -> DateTime<Tz> {
    zone.from_utc_datetime(
        &DateTime::from_timestamp_millis(instant_ms)
            .unwrap_or_default()
            .naive_utc(),
    )
}

/// The local date of an instant.
pub(super) fn local_date(zone: Tz, instant_ms: i64) -> NaiveDate {
    local(zone, instant_ms).date_naive()
}

/// The first instant of a local date: where midnight comes twice the earlier, where it is skipped the first after.
pub(super) fn day_start(zone: Tz, date: NaiveDate) -> i64 {
    let mut clock = date.and_time(NaiveTime::MIN);
    // A gap may swallow a whole day (Samoa, 2011): look further until the clock exists again.
    for _ in 0..(26 * 4) {
        match zone.from_local_datetime(&clock) {
            MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => {
                return instant.timestamp_millis();
            }
            MappedLocalTime::None => clock += TimeDelta::minutes(15),
        }
    }
    clock.and_utc().timestamp_millis()
}

/// The start of the bucket that holds `instant_ms`.
pub(super) fn bucket_start(zone: Tz, granularity: Granularity, instant_ms: i64) -> i64 {
    let date = local_date(zone, instant_ms);
    match granularity {
        Granularity::Hourly => hour_start(zone, instant_ms),
        Granularity::Daily => day_start(zone, date),
        Granularity::Weekly => {
            let monday = date - Days::new(u64::from(date.weekday().num_days_from_monday()));
            day_start(zone, monday)
        }
        Granularity::Monthly => day_start(zone, date.with_day(1).unwrap_or(date)),
    }
}

/// The start of the bucket after the one that begins at `start_ms`.
pub(super) fn next_bucket(zone: Tz, granularity: Granularity, start_ms: i64) -> i64 {
    let date = local_date(zone, start_ms);
    match granularity {
        Granularity::Hourly => next_hour(zone, start_ms),
        Granularity::Daily => day_start(zone, date + Days::new(1)),
        Granularity::Weekly => day_start(zone, date + Days::new(7)),
        Granularity::Monthly => day_start(zone, date + Months::new(1)),
    }
}

/// Every zone's clock has moved in whole quarters of an hour since 2000, so full hours lie on that grid.
const QUARTER_MS: i64 = 15 * 60 * 1000;

fn is_full_hour(zone: Tz, instant_ms: i64) -> bool {
    local(zone, instant_ms).minute() == 0
}

fn hour_start(zone: Tz, instant_ms: i64) -> i64 {
    let mut start = instant_ms.div_euclid(QUARTER_MS) * QUARTER_MS;
    while !is_full_hour(zone, start) {
        start -= QUARTER_MS;
    }
    start
}

fn next_hour(zone: Tz, start_ms: i64) -> i64 {
    let mut next = start_ms + QUARTER_MS;
    while !is_full_hour(zone, next) {
        next += QUARTER_MS;
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text)
            .unwrap()
            .timestamp_millis()
    }

    #[test]
    fn a_skipped_midnight_begins_the_day_after_the_gap() {
        let date = NaiveDate::from_ymd_opt(2018, 11, 4).unwrap();
        assert_eq!(
            day_start(chrono_tz::America::Sao_Paulo, date),
            at("2018-11-04T01:00:00-02:00")
        );
    }

    #[test]
    fn a_midnight_that_comes_twice_begins_the_day_the_first_time() {
        let date = NaiveDate::from_ymd_opt(2024, 11, 3).unwrap();
        assert_eq!(
            day_start(chrono_tz::America::Havana, date),
            at("2024-11-03T00:00:00-04:00")
        );
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        let zone = chrono_tz::Africa::Lagos;
        let thursday = at("2024-02-29T12:34:56+01:00");
        assert_eq!(
            bucket_start(zone, Granularity::Weekly, thursday),
            at("2024-02-26T00:00:00+01:00")
        );
        assert_eq!(
            bucket_start(zone, Granularity::Monthly, thursday),
            at("2024-02-01T00:00:00+01:00")
        );
        assert_eq!(
            next_bucket(zone, Granularity::Monthly, at("2024-02-01T00:00:00+01:00")),
            at("2024-03-01T00:00:00+01:00")
        );
    }

    #[test]
    fn hours_follow_the_local_clock_of_half_hour_zones() {
        let zone = chrono_tz::Asia::Kolkata;
        assert_eq!(
            bucket_start(zone, Granularity::Hourly, at("2024-05-01T10:59:59+05:30")),
            at("2024-05-01T10:00:00+05:30")
        );
    }

    #[test]
    fn a_day_on_which_the_clock_goes_back_has_twenty_five_hours() {
        let zone = chrono_tz::Europe::Berlin;
        let start = at("2024-10-27T00:00:00+02:00");
        let end = next_bucket(zone, Granularity::Daily, start);
        let mut hours = 0;
        let mut hour = start;
        while hour < end {
            hours += 1;
            hour = next_bucket(zone, Granularity::Hourly, hour);
        }
        assert_eq!(hours, 25);
    }
}
