use analytics::time::DateRange;
use chrono::TimeDelta;

use super::*;

fn at(hour: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
}

fn range(from: i64, until: i64) -> DateRange {
    DateRange::between(at(from), at(until), chrono_tz::UTC).unwrap()
}

#[test]
fn the_hours_of_a_range_are_those_that_it_touches() {
    let hours = |range: &DateRange| Reach::Range.hours(range, at(1_000_000));
    assert_eq!(hours(&range(1000, 1002)), 1000..=1001);
    let (start, end) = (at(1000), at(1001));
    let a_moment = TimeDelta::milliseconds(1);
    let wider = DateRange::between(start - a_moment, end + a_moment, chrono_tz::UTC).unwrap();
    assert_eq!(hours(&wider), 999..=1001);
}

#[test]
fn the_last_days_reach_back_from_the_end() {
    let days = 24 * 32;
    assert_eq!(
        Reach::LastDays.hours(&range(9999, 10_000), at(1_000_000)),
        10_000 - days..=9999
    );
    assert_eq!(
        Reach::LastDays.hours(&range(1000, 10_000), at(1_000_000)),
        1000..=9999
    );
}

#[test]
fn the_period_before_is_as_long() {
    let hours = Reach::Before.hours(&range(9000, 10_000), at(1_000_000));
    assert_eq!(hours, 8000 - 24 * 32..=9999);
}

#[test]
fn what_goes_on_after_the_range_is_late_after_an_hour() {
    let hours = |now| Reach::Onwards.hours(&range(1000, 2000), at(now));
    assert_eq!(hours(2000), 1000..=1999);
    assert_eq!(hours(5000), 1000..=4998);
}

#[test]
fn no_two_lists_of_parts_are_the_same_key() {
    let key = |parts: &[&str]| {
        Key::of(
            &parts
                .iter()
                .map(|part| (*part).to_owned())
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(key(&["a", "bc"]), key(&["a", "bc"]));
    assert_ne!(key(&["a", "bc"]), key(&["ab", "c"]));
    assert_ne!(key(&["a", ""]), key(&["a"]));
}
