use super::history::{History, IKEJA, days, ride};
use serde_json::{json, to_value};
use simulator::answer::Granularity;

/// Three bookings: one is completed, one is cancelled after it was confirmed, one stays as it is.
fn three_bookings() -> History {
    let mut history = History::new();
    history
        .created("2024-03-04 07:00", ride(1), IKEJA, "2024-03-04 08:00", 1)
        .confirmed("2024-03-04 07:01", ride(1), 300_000)
        .completed("2024-03-04 08:40", ride(1))
        .created(
            "2024-03-04 23:59:59.999",
            ride(2),
            IKEJA,
            "2024-03-05 08:00",
            1,
        )
        .confirmed("2024-03-05 00:00", ride(2), 200_005)
        .cancelled("2024-03-05 00:30", ride(2))
        .created("2024-03-06 12:00", ride(3), IKEJA, "2024-03-06 18:00", 1);
    history
}

#[test]
fn counts_rates_and_values_are_those_of_the_events_in_the_range() {
    let history = three_bookings();
    let answer = to_value(history.key.bookings(&days("2024-03-04", "2024-03-06"))).unwrap();
    assert_eq!(
        answer,
        json!({
            "bookings_created": 3, "bookings_confirmed": 2,
            "bookings_cancelled": 1, "bookings_completed": 1,
            "conversion_rate": 66.67, "cancellation_rate": 33.33,
            // (3000.00 + 2000.05) / 2 = 2500.025, half away from zero
            "avg_booking_value": "2500.03", "total_booking_value": "5000.05",
        })
    );
}

#[test]
fn an_event_counts_on_the_local_day_of_its_timestamp() {
    let history = three_bookings();
    let first_day = history.key.bookings(&days("2024-03-04", "2024-03-04"));
    assert_eq!(
        (first_day.bookings_created, first_day.bookings_confirmed),
        (2, 1)
    );
    let second_day = history.key.bookings(&days("2024-03-05", "2024-03-05"));
    assert_eq!(
        (second_day.bookings_created, second_day.bookings_cancelled),
        (0, 1)
    );
}

#[test]
fn ratios_of_different_events_may_exceed_a_hundred_and_are_null_over_nothing() {
    let history = three_bookings();
    let second_day = to_value(history.key.bookings(&days("2024-03-05", "2024-03-05"))).unwrap();
    assert_eq!(second_day["conversion_rate"], json!(null));
    let empty = to_value(history.key.bookings(&days("2024-04-01", "2024-04-01"))).unwrap();
    assert_eq!(empty["avg_booking_value"], json!(null));
    assert_eq!(empty["total_booking_value"], json!("0.00"));

    let mut history = History::new();
    history
        .created("2024-03-04 07:00", ride(1), IKEJA, "2024-03-04 08:00", 1)
        .confirmed("2024-03-04 07:01", ride(1), 1)
        .confirmed("2024-03-04 07:02", ride(2), 1)
        .confirmed("2024-03-04 07:03", ride(3), 1);
    let answer = to_value(history.key.bookings(&days("2024-03-04", "2024-03-04"))).unwrap();
    assert_eq!(answer["conversion_rate"], json!(300.0));
}

#[test]
fn a_daily_series_has_a_point_for_every_day_and_marks_the_unfinished_one() {
    let mut history = three_bookings();
    history.created("2024-03-08 09:00", ride(4), IKEJA, "2024-03-08 10:00", 1);
    let noon = super::history::at("2024-03-08 12:00");
    let question = days("2024-03-04", "2024-03-08")
        .by(Granularity::Daily)
        .asked_at(noon);
    let series = history.key.bookings(&question).time_series.unwrap();
    let created: Vec<_> = series
        .iter()
        .map(|point| (point.start.as_str(), point.values.bookings_created))
        .collect();
    assert_eq!(
        created,
        [
            ("2024-03-04T00:00:00+01:00", 2),
            ("2024-03-05T00:00:00+01:00", 0),
            ("2024-03-06T00:00:00+01:00", 1),
            ("2024-03-07T00:00:00+01:00", 0),
            ("2024-03-08T00:00:00+01:00", 1),
        ]
    );
    let partial: Vec<bool> = series.iter().map(|point| point.partial).collect();
    assert_eq!(partial, [false, false, false, false, true]);
    let point = to_value(&series[1]).unwrap();
    assert_eq!(
        point,
        json!({
            "start": "2024-03-05T00:00:00+01:00", "partial": false,
            "bookings_created": 0, "bookings_confirmed": 1,
            "bookings_cancelled": 1, "bookings_completed": 0,
            "conversion_rate": null, "cancellation_rate": null,
            "avg_booking_value": "2000.05", "total_booking_value": "2000.05",
        })
    );
}

#[test]
fn a_series_ends_with_the_unit_of_the_present_or_the_last_event() {
    let mut history = three_bookings();
    let week = days("2024-03-04", "2024-03-10").by(Granularity::Daily);
    let question = week.asked_at(super::history::at("2024-03-07 12:00"));
    let partial = |history: &History| -> Vec<bool> {
        let series = history.key.bookings(&question).time_series.unwrap();
        series.iter().map(|point| point.partial).collect()
    };
    assert_eq!(partial(&history), [false, false, false, true]);
    // a producer whose clock is ahead
    history.created("2024-03-09 00:10", ride(4), IKEJA, "2024-03-09 10:00", 1);
    assert_eq!(partial(&history), [false, false, false, true, true, true]);
}

#[test]
fn weekly_and_monthly_points_begin_before_the_range_but_count_only_what_is_in_it() {
    let mut history = three_bookings();
    history.created("2024-02-28 09:00", ride(5), IKEJA, "2024-02-28 10:00", 1);
    let starts = |granularity| {
        let question = days("2024-03-02", "2024-03-05").by(granularity);
        let series = history.key.bookings(&question).time_series.unwrap();
        series
            .into_iter()
            .map(|point| (point.start, point.values.bookings_created, point.partial))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        starts(Granularity::Weekly),
        [
            ("2024-02-26T00:00:00+01:00".to_owned(), 0, false),
            ("2024-03-04T00:00:00+01:00".to_owned(), 2, true),
        ]
    );
    assert_eq!(
        starts(Granularity::Monthly),
        [("2024-03-01T00:00:00+01:00".to_owned(), 2, true)]
    );
    let hours = starts(Granularity::Hourly);
    assert_eq!(hours.len(), 4 * 24);
    assert_eq!(
        hours[48 + 7],
        ("2024-03-04T07:00:00+01:00".to_owned(), 1, false)
    );
    assert_eq!(
        hours[48 + 23],
        ("2024-03-04T23:00:00+01:00".to_owned(), 1, false)
    );
}
