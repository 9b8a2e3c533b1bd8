use chrono::{
    DateTime, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

/// No zone has ever been further from UTC.
const FARTHEST_OFFSET: TimeDelta = TimeDelta::hours(26);

/// The instant at which the zone's clock shows `clock`: where it does so twice the earlier, where it never
/// does the first instant after the gap.
pub(super) fn earliest(zone: Tz, clock: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&clock) {
        MappedLocalTime::Single(at) => at.to_utc(),
        MappedLocalTime::Ambiguous(one, other) => one.to_utc().min(other.to_utc()),
        MappedLocalTime::None => end_of_gap(zone, clock),
    }
}

/// The same, but the later where there are two.
pub(super) fn latest(zone: Tz, clock: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&clock) {
        MappedLocalTime::Ambiguous(one, other) => one.to_utc().max(other.to_utc()),
        _ => earliest(zone, clock),
    }
}

/// The first instant of a local day: where midnight comes twice the earlier, where it is skipped the first after.
pub(crate) fn day_start(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    earliest(zone, date.and_time(NaiveTime::MIN))
}

/// The date on the zone's clock.
pub(crate) fn local_date(zone: Tz, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// The first instant at which the clock shows more than `clock`, which it skips. Gaps may be as long as a day
/// (Samoa, 2011), so it is searched for instead of being derived from a rule.
fn end_of_gap(zone: Tz, clock: NaiveDateTime) -> DateTime<Utc> {
    let shows_later = |second: i64| {
        DateTime::from_timestamp(second, 0)
            .is_none_or(|at| at.with_timezone(&zone).naive_local() > clock)
    };
    let mut before = (clock - FARTHEST_OFFSET).and_utc().timestamp();
    let mut after = (clock + FARTHEST_OFFSET).and_utc().timestamp();
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        match shows_later(middle) {
            true => after = middle,
            false => before = middle,
        }
    }
    DateTime::from_timestamp(after, 0).unwrap_or_else(|| clock.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn clock(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_that_comes_twice_is_the_earlier_or_the_later() {
        let zone = chrono_tz::Europe::Berlin;
        let twice = clock("2024-10-27T02:30:00");
        assert_eq!(earliest(zone, twice), at("2024-10-27T02:30:00+02:00"));
        assert_eq!(latest(zone, twice), at("2024-10-27T02:30:00+01:00"));
    }

    #[test]
    fn a_time_that_never_comes_is_the_first_instant_after_the_gap() {
        for (zone, skipped, expected) in [
            (
                chrono_tz::Europe::Berlin,
                "2024-03-31T02:00:00",
                "2024-03-31T03:00:00+02:00",
            ),
            (
                chrono_tz::Europe::Berlin,
                "2024-03-31T02:59:59.999",
                "2024-03-31T03:00:00+02:00",
            ),
            (
                chrono_tz::Australia::Lord_Howe,
                "2024-10-06T02:15:00",
                "2024-10-06T02:30:00+11:00",
            ),
            (
                chrono_tz::Pacific::Apia,
                "2011-12-30T12:00:00",
                "2011-12-31T00:00:00+14:00",
            ),
        ] {
            assert_eq!(
                earliest(zone, clock(skipped)),
                at(expected),
                "{zone} {skipped}"
            );
            assert_eq!(
                latest(zone, clock(skipped)),
                at(expected),
                "{zone} {skipped}"
            );
        }
    }

    #[test]
    fn a_day_begins_at_its_first_instant() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (zone, date, expected) in [
            (
                chrono_tz::Africa::Lagos,
                "2024-05-01",
                "2024-05-01T00:00:00+01:00",
            ),
            (
                chrono_tz::America::Sao_Paulo,
                "2018-11-04",
                "2018-11-04T01:00:00-02:00",
            ),
            (
                chrono_tz::America::Havana,
                "2024-11-03",
                "2024-11-03T00:00:00-04:00",
            ),
            (
                chrono_tz::Asia::Kathmandu,
                "2024-05-01",
                "2024-05-01T00:00:00+05:45",
            ),
        ] {
            assert_eq!(day_start(zone, day(date)), at(expected), "{zone} {date}");
        }
    }

    #[test]
    fn years_far_away_do_no_harm() {
        for year in [0, 1, 1500, 9999] {
            let date = NaiveDate::from_ymd_opt(year, 12, 31).unwrap();
            let start = day_start(chrono_tz::America::New_York, date);
            assert!((start - date.and_time(NaiveTime::MIN).and_utc()).abs() < TimeDelta::hours(6));
        }
    }
}
