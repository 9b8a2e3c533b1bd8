use super::{super::Buckets, *};

const LAGOS: Tz = chrono_tz::Africa::Lagos;
const BERLIN: Tz = chrono_tz::Europe::Berlin;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn resolve(start: &str, end: &str, zone: Tz) -> Result<(DateTime<Utc>, DateTime<Utc>), Reversed> {
    let read = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
    let now = at("2024-06-15T10:20:30+01:00");
    DateRange::resolve(read(start), read(end), zone, now).map(|range| (range.start(), range.end()))
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

#[test]
fn as_many_months_are_touched_by_the_range_so_many_before() {
    let zone = chrono_tz::Africa::Lagos;
    let day = |year, month, day| chrono::NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let mut first = day(2024, 1, 1);
    while first < day(2025, 1, 1) {
        for days in (0..370).step_by(3) {
            let range = DateRange::between(
                day_start(zone, first),
                day_start(zone, first + Days::new(days + 1)),
                zone,
            );
            let range = range.unwrap();
            let touched =
                |range: &DateRange| Buckets::of(range, Granularity::Monthly).unwrap().len();
            let units = touched(&range);
            let moved = range.moved_back(units, Granularity::Monthly).unwrap();
            assert_eq!(touched(&moved), units, "{range:?} {moved:?}");
            assert!(moved.end() <= range.start(), "{range:?} {moved:?}");
        }
        first = first + Days::new(1);
    }
}

#[rstest::rstest]
#[case("2026-03-01", "2026-03-28", "2026-02-01", "2026-02-28")]
#[case("2026-03-01", "2026-03-30", "2026-02-01", "2026-02-28")]
#[case("2026-03-01", "2026-03-31", "2026-02-01", "2026-02-28")]
#[case("2026-03-01", "2026-03-15", "2026-02-01", "2026-02-15")]
#[case("2026-04-01", "2026-04-30", "2026-03-01", "2026-03-31")]
#[case("2026-05-01", "2026-05-30", "2026-04-01", "2026-04-30")]
#[case("2026-03-30", "2026-03-30", "2026-02-28", "2026-02-28")]
#[case("2026-03-30", "2026-03-31", "2026-02-28", "2026-02-28")]
#[case(
    "2026-03-29T10:00",
    "2026-03-29T11:59",
    "2026-02-28T10:00",
    "2026-02-28T11:59"
)]
#[case(
    "2026-03-28T10:00",
    "2026-03-29T11:59",
    "2026-02-28T10:00",
    "2026-02-28"
)]
#[case("2024-03-01", "2024-03-28", "2024-02-01", "2024-02-28")]
fn months_are_moved_by_their_days(
    #[case] start: &str,
    #[case] end: &str,
    #[case] first: &str,
    #[case] last: &str,
) {
    let lagos = chrono_tz::Africa::Lagos;
    let range = |start: &str, end: &str| {
        let bound = |text: &str| Some(text.parse().unwrap());
        DateRange::resolve(bound(start), bound(end), lagos, DateTime::UNIX_EPOCH).unwrap()
    };
    let moved = range(start, end).moved_back(1, Granularity::Monthly);
    assert_eq!(moved, Some(range(first, last)));
}
