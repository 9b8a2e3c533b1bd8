//! Events judged against the time stored with their batch.

use std::time::Duration;

use rstest::rstest;
use shared_schema::{AgeLimits, ClockSkew, Domain, judge_age};

/// 2026-03-02T07:00:00Z
const NOW: i64 = 1_772_434_800_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn judged(ahead_ms: i64, domain: Domain) -> Result<ClockSkew, &'static str> {
    judge_age(NOW + ahead_ms, NOW, domain, &AgeLimits::default()).map_err(|rejection| {
        assert_eq!(rejection.path, "$.event_timestamp");
        rejection.reason.as_str()
    })
}

#[rstest]
#[case::now(0, Ok(ClockSkew(false)))]
#[case::five_minutes_ahead(5 * MINUTE, Ok(ClockSkew(false)))]
#[case::a_little_more(5 * MINUTE + 1, Ok(ClockSkew(true)))]
#[case::a_day_ahead(DAY, Ok(ClockSkew(true)))]
#[case::more_than_a_day_ahead(DAY + 1, Err("out_of_range"))]
#[case::ninety_days_old(-90 * DAY, Ok(ClockSkew(false)))]
#[case::older(-90 * DAY - 1, Err("too_old"))]
fn an_event_may_be_late_and_a_little_early(
    #[case] ahead_ms: i64,
    #[case] expected: Result<ClockSkew, &'static str>,
) {
    for domain in Domain::ALL
        .into_iter()
        .filter(|domain| *domain != Domain::Location)
    {
        assert_eq!(judged(ahead_ms, domain), expected);
    }
}

#[rstest]
#[case(-30 * DAY, Ok(ClockSkew(false)))]
#[case(-30 * DAY - 1, Err("too_old"))]
#[case(5 * MINUTE + 1, Ok(ClockSkew(true)))]
#[case(DAY + 1, Err("out_of_range"))]
fn a_location_ages_sooner(
    #[case] ahead_ms: i64,
    #[case] expected: Result<ClockSkew, &'static str>,
) {
    assert_eq!(judged(ahead_ms, Domain::Location), expected);
}

#[test]
fn the_limits_are_settings() {
    let limits = AgeLimits {
        max_age: Duration::from_secs(60),
        ..AgeLimits::default()
    };
    assert!(judge_age(NOW - MINUTE, NOW, Domain::Trip, &limits).is_ok());
    assert!(judge_age(NOW - MINUTE - 1, NOW, Domain::Trip, &limits).is_err());
}

#[test]
fn clocks_at_the_ends_of_time_are_judged_too() {
    let endless = AgeLimits {
        max_age: Duration::MAX,
        ..AgeLimits::default()
    };
    for domain in Domain::ALL {
        assert!(judge_age(i64::MAX, i64::MIN, domain, &AgeLimits::default()).is_err());
        assert!(judge_age(i64::MIN, i64::MAX, domain, &AgeLimits::default()).is_err());
    }
    assert!(judge_age(0, i64::MAX, Domain::Trip, &endless).is_ok());
}
