use super::history::{History, IKEJA, Ride, at, days, ride};
use serde_json::{json, to_value};
use simulator::answer::Granularity;

/// Activity of riders 11 to 15 and driver 50, counted back from 2024-03-31.
fn activity() -> History {
    let mut history = History::new();
    history
        .registered("2024-02-01 12:00", 11, IKEJA)
        .registered("2024-03-01 23:59", 12, IKEJA)
        .created(
            "2024-03-02 00:00",
            Ride {
                driver: 51,
                ..ride(3)
            },
            IKEJA,
            "2024-03-02 08:00",
            1,
        )
        .paid("2024-03-24 23:59", ride(4), 1, 1)
        .started("2024-03-25 00:00", ride(5), "2024-03-25 00:00")
        .pinged("2024-03-31 00:00", 50, IKEJA)
        .pinged("2024-03-31 23:59:59.999", 50, IKEJA)
        .pinged("2024-04-01 00:00", 59, IKEJA);
    history
}

#[test]
fn active_users_are_distinct_over_the_last_local_days_whatever_the_start() {
    let answer = activity().key.users(&days("2024-03-30", "2024-03-31"));
    // today: 50 · since 25 March: and 15 · since 2 March: and 13, 51, 14
    assert_eq!((answer.dau, answer.wau, answer.mau), (1, 2, 5));
}

#[test]
fn the_last_day_ends_where_the_range_ends() {
    let mut question = days("2024-03-30", "2024-03-31");
    question.range.end_ms = at("2024-03-31 00:00") + 1;
    assert_eq!(activity().key.users(&question).dau, 1);
    question.range.end_ms = at("2024-03-31 00:00");
    assert_eq!(activity().key.users(&question).dau, 0);
}

#[test]
fn registrations_count_in_the_range_and_users_since_ever() {
    let answer = activity().key.users(&days("2024-03-01", "2024-03-31"));
    assert_eq!((answer.new_registrations, answer.total_users), (1, 2));
    let before = activity().key.users(&days("2024-01-01", "2024-01-31"));
    assert_eq!((before.new_registrations, before.total_users), (0, 0));
}

/// Of four who registered in March: 1 was verified after a rejection, 2 was rejected after a verification, 3 was
/// verified in May, 4 never. 5 registered in February.
fn checks() -> History {
    let mut history = History::new();
    for user in 1..=4 {
        history.registered("2024-03-10 12:00", user, IKEJA);
    }
    history
        .registered("2024-02-10 12:00", 5, IKEJA)
        .checked("2024-03-13 12:00", 1, true)
        .checked("2024-03-11 12:00", 1, false)
        .checked("2024-03-11 12:00", 2, true)
        .checked("2024-04-11 12:00", 2, false)
        .checked("2024-05-01 12:00", 3, true)
        .checked("2024-03-11 12:00", 5, true)
        .upgraded("2024-04-20 12:00", 1)
        .upgraded("2024-03-12 12:00", 5);
    history
}

#[test]
fn the_latest_decision_by_event_time_up_to_now_is_what_counts() {
    let history = checks();
    let kyc_at = |clock: &str| {
        let question = days("2024-03-01", "2024-03-31").asked_at(at(clock));
        to_value(history.key.users(&question)).unwrap()["kyc_completion_rate"].clone()
    };
    assert_eq!(kyc_at("2024-03-12 00:00"), json!(25.0)); // 2
    assert_eq!(kyc_at("2024-03-14 00:00"), json!(50.0)); // 1, 2
    assert_eq!(kyc_at("2024-04-30 00:00"), json!(25.0)); // 1
    assert_eq!(kyc_at("2024-05-02 00:00"), json!(50.0)); // 1, 3
}

#[test]
fn activation_is_the_share_of_those_registered_in_the_range_that_upgraded() {
    let history = checks();
    let answer = |first, last, now| {
        let question = days(first, last).asked_at(at(now));
        to_value(history.key.users(&question)).unwrap()["driver_activation_rate"].clone()
    };
    assert_eq!(
        answer("2024-03-01", "2024-03-31", "2024-04-19 00:00"),
        json!(0.0)
    );
    assert_eq!(
        answer("2024-03-01", "2024-03-31", "2024-04-21 00:00"),
        json!(25.0)
    );
    assert_eq!(
        answer("2024-02-01", "2024-02-28", "2024-04-21 00:00"),
        json!(100.0)
    );
    assert_eq!(
        answer("2024-01-01", "2024-01-28", "2024-04-21 00:00"),
        json!(null)
    );
}

#[test]
fn the_series_counts_active_new_and_all_users_of_each_bucket() {
    let history = activity();
    let question = days("2024-02-01", "2024-03-31").by(Granularity::Monthly);
    let answer = to_value(history.key.users(&question)).unwrap();
    assert_eq!(
        answer["time_series"],
        json!([
            {
                "start": "2024-02-01T00:00:00+01:00", "partial": false,
                "active_users": 1, "new_registrations": 1, "total_users": 1,
            },
            {
                // 12 registered; 13 and 51, 14, 15 and 50 rode
                "start": "2024-03-01T00:00:00+01:00", "partial": false,
                "active_users": 6, "new_registrations": 1, "total_users": 2,
            },
        ])
    );
}
