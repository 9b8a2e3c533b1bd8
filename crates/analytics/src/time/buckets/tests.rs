use super::*;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn steps(start: &str, end: &str, zone: Tz, granularity: Granularity) -> Option<(u64, u64)> {
    let range = DateRange::between(at(start), at(end), zone).unwrap();
    Buckets::of(&range, granularity).unwrap().steps()
}

#[test]
fn equally_wide_units_are_found_by_division() {
    use Granularity::{Daily, Hourly, Monthly, Weekly};
    let lagos = chrono_tz::Africa::Lagos;
    let berlin = chrono_tz::Europe::Berlin;
    let (march, april) = ("2024-03-30T12:00:00+01:00", "2024-04-02T00:00:00+02:00");
    let first = at("2024-03-30T00:00:00+01:00").timestamp().unsigned_abs();
    assert_eq!(steps(march, april, lagos, Daily), Some((first, 86_400)));
    assert_eq!(
        steps(march, april, berlin, Hourly),
        Some((first + 12 * 3_600, 3_600))
    );
    // The 31st has 23 hours in Berlin.
    assert_eq!(steps(march, april, berlin, Daily), None);
    assert_eq!(steps(march, april, lagos, Weekly).unwrap().1, 7 * 86_400);
    assert_eq!(
        steps(
            "2024-01-01T00:00:00Z",
            "2024-06-01T00:00:00Z",
            Tz::UTC,
            Monthly
        ),
        None
    );
    // What lies before 1970 is cut off.
    assert_eq!(
        steps(
            "1969-12-31T12:00:00+01:00",
            "1970-01-04T00:00:00+01:00",
            lagos,
            Daily
        ),
        None
    );
    let one = steps(
        "2024-01-01T00:00:00Z",
        "2024-01-02T00:00:00Z",
        Tz::UTC,
        Daily,
    );
    assert_eq!(one, Some((1_704_067_200, 86_400)));
}

#[test]
fn a_last_unit_that_is_wider_is_found_by_a_search() {
    use Granularity::{Daily, Monthly, Weekly};
    let (lagos, london) = (chrono_tz::Africa::Lagos, chrono_tz::Europe::London);
    for (start, end, zone, granularity) in [
        // 29 days and 31, 30 and 31
        (
            "2024-02-01T00:00:00+01:00",
            "2024-04-01T00:00:00+01:00",
            lagos,
            Monthly,
        ),
        (
            "2024-04-01T00:00:00+01:00",
            "2024-05-20T00:00:00+01:00",
            lagos,
            Monthly,
        ),
        // the 25th has 25 hours
        (
            "2026-10-20T00:00:00+01:00",
            "2026-10-26T00:00:00Z",
            london,
            Daily,
        ),
        (
            "2026-10-05T00:00:00+01:00",
            "2026-10-26T00:00:00Z",
            london,
            Weekly,
        ),
    ] {
        assert_eq!(steps(start, end, zone, granularity), None, "{start}");
    }
    let july = steps(
        "2024-07-01T00:00:00+01:00",
        "2024-09-01T00:00:00+01:00",
        lagos,
        Monthly,
    );
    assert_eq!(july.map(|(_, width)| width), Some(31 * 86_400));
}

/// The unit that SQL finds by division is the one that holds the second.
#[test]
fn a_division_finds_the_unit_of_every_second() {
    let zones = [
        chrono_tz::Africa::Lagos,
        chrono_tz::Europe::London,
        chrono_tz::Australia::Lord_Howe,
    ];
    let mut divided = 0;
    for (zone, day) in zones
        .into_iter()
        .flat_map(|zone| (0..400).map(move |day| (zone, day)))
    {
        let start = at("2025-01-01T00:00:00Z") + Days::new(day);
        for (granularity, days) in [
            (Granularity::Hourly, 1),
            (Granularity::Daily, 5),
            (Granularity::Weekly, 20),
            (Granularity::Monthly, 50),
        ] {
            let range = DateRange::between(start, start + Days::new(days), zone).unwrap();
            let buckets = Buckets::of(&range, granularity).unwrap();
            let Some((first, width)) = buckets.steps() else {
                continue;
            };
            divided += 1;
            for unit in buckets.iter() {
                let from = u64::try_from(unit.from.timestamp()).unwrap();
                let last = u64::try_from(unit.until.timestamp()).unwrap() - 1;
                for second in [from, last] {
                    assert_eq!(
                        first + (second - first) / width * width,
                        from,
                        "{zone} {start} {granularity:?}"
                    );
                }
            }
        }
    }
    assert!(divided > 1_000, "{divided}");
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
                    unit.from < unit.until && reached.is_none_or(|reached| reached == unit.from)
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

fn units(start: &str, end: &str, zone: Tz, granularity: Granularity) -> Buckets {
    let range = DateRange::between(at(start), at(end), zone).unwrap();
    Buckets::of(&range, granularity).unwrap()
}

#[test]
fn full_hours_of_a_zone_may_be_those_of_utc() {
    let hours = |zone, granularity| {
        let (start, end) = ("2024-03-30T12:15:00Z", "2024-04-02T00:00:00Z");
        units(start, end, zone, granularity).are_hours_of_utc()
    };
    assert!(hours(chrono_tz::Africa::Lagos, Granularity::Hourly));
    assert!(hours(chrono_tz::Europe::Berlin, Granularity::Hourly));
    assert!(!hours(chrono_tz::Asia::Kolkata, Granularity::Hourly));
    assert!(!hours(chrono_tz::Africa::Lagos, Granularity::Daily));
}

#[test]
fn days_of_utc_that_many_units_begin_in_are_seen() {
    let few = |zone, granularity| {
        let (start, end) = ("2024-03-29T12:00:00Z", "2024-04-02T00:00:00Z");
        units(start, end, zone, granularity).at_most_two_a_day()
    };
    assert!(few(chrono_tz::Africa::Lagos, Granularity::Daily));
    assert!(few(chrono_tz::Europe::Berlin, Granularity::Daily));
    assert!(few(chrono_tz::Europe::London, Granularity::Daily));
    assert!(few(Tz::UTC, Granularity::Monthly));
    assert!(!few(Tz::UTC, Granularity::Hourly));
    // One day of 23 hours begins and ends within a day of UTC.
    let day = |text: &str| at(text);
    let short = Buckets {
        starts: vec![day("2024-03-30T00:30:00Z"), day("2024-03-30T23:30:00Z")],
        end: day("2024-03-31T23:30:00Z"),
    };
    assert!(!short.at_most_two_a_day());
}

#[test]
fn local_days_begin_in_each_day_of_utc_unless_the_clock_is_moved_across_midnight() {
    let starts =
        |zone, end| units("2024-03-01T12:00:00Z", end, zone, Granularity::Daily).day_starts();
    let (before, after) = ("2024-03-30T12:00:00Z", "2024-04-03T00:00:00Z");
    let still = |second| {
        Some(DayStarts {
            second,
            moved: None,
        })
    };
    assert_eq!(starts(chrono_tz::Africa::Lagos, after), still(82_800));
    assert_eq!(starts(chrono_tz::Asia::Kathmandu, after), still(65_700));
    assert_eq!(starts(chrono_tz::Europe::Berlin, before), still(82_800));
    // The 31st of March begins at 23:00 UTC of the 30th, the 1st of April at 22:00 of the 31st.
    let moved = at("2024-03-31T00:00:00Z").timestamp() / 86_400;
    assert_eq!(
        starts(chrono_tz::Europe::Berlin, after),
        Some(DayStarts {
            second: 82_800,
            moved: Some((moved, 79_200)),
        })
    );
    assert_eq!(
        starts(chrono_tz::Europe::Berlin, "2024-11-01T00:00:00Z"),
        None
    );
    assert_eq!(starts(chrono_tz::Europe::London, after), None);
    let weeks = units("2024-01-01T12:00:00Z", after, Tz::UTC, Granularity::Weekly);
    assert_eq!(weeks.day_starts(), None);
}
