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
fn what_adds_up_to_its_end_reaches_back_to_the_first_event() {
    let hours = Reach::UpToItsEnd.hours(&range(1000, 2000), at(1_000_000));
    assert_eq!(hours, i64::MIN..=1999);
}

#[test]
fn what_goes_on_after_the_range_is_late_after_an_hour() {
    let last = |now| *Reach::Onwards.hours(&range(1000, 2000), at(now)).end();
    assert_eq!((last(2000), last(5000)), (1999, 4999));
}

#[test]
fn no_two_lists_of_parts_are_the_same_key() {
    let key = |parts: &[&'static str]| {
        Key::of(&parts.iter().map(|part| (*part).into()).collect::<Vec<_>>())
    };
    assert_eq!(key(&["a", "bc"]), key(&["a", "bc"]));
    assert_ne!(key(&["a", "bc"]), key(&["ab", "c"]));
    assert_ne!(key(&["a", ""]), key(&["a"]));
}
