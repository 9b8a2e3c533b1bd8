//! What must hold for every history: nothing depends on the order of reading, and regions and buckets add up.

use super::history::LAGOS;
use crate::story::{END_MS, START_MS, config};
use serde_json::{Value, to_value};
use simulator::answer::{AnswerKey, Granularity, Question, Sheet, differences};
use simulator::event::LogicalEvent;
use simulator::{Config, Disorder, Simulation};

fn events() -> Vec<LogicalEvent> {
    let disorder = Disorder {
        late: 0.05,
        without_fix: 0.05,
        ..Disorder::NORMAL
    };
    let story = Simulation::new(&Config {
        disorder,
        ..config(31, 1_500)
    });
    story.map(|occurrence| occurrence.event).collect()
}

fn key<'a>(events: impl Iterator<Item = &'a LogicalEvent>) -> AnswerKey {
    let mut key = AnswerKey::default();
    events.for_each(|event| key.observe(event, END_MS));
    key
}

fn question() -> Question {
    Question::over(START_MS, END_MS, LAGOS).by(Granularity::Daily)
}

#[test]
fn no_answer_depends_on_the_order_in_which_the_events_were_read() {
    let events = events();
    let sheet = |key: AnswerKey| to_value(Sheet::of(&key, &question())).unwrap();
    let forwards = sheet(key(events.iter()));
    let backwards = sheet(key(events.iter().rev()));
    assert_eq!(differences(&forwards, &backwards), Vec::<String>::new());
    let mut by_topic: Vec<&LogicalEvent> = events.iter().collect();
    by_topic.sort_by_key(|event| std::cmp::Reverse(event.fact.domain()));
    assert_eq!(
        differences(&forwards, &sheet(key(by_topic.into_iter()))),
        Vec::<String>::new()
    );
}

/// Counts, and amounts in kobo, by name.
fn additive(answers: &Value, path: &str) -> i64 {
    match answers.pointer(path).unwrap_or(&Value::Null) {
        Value::String(amount) => amount.replace('.', "").parse().unwrap(),
        number => number.as_i64().unwrap(),
    }
}

const ADDITIVE: [&str; 16] = [
    "/bookings/bookings_created",
    "/bookings/bookings_confirmed",
    "/bookings/bookings_cancelled",
    "/bookings/bookings_completed",
    "/bookings/total_booking_value",
    "/payments/payments_initiated",
    "/payments/payments_success",
    "/payments/payments_failed",
    "/payments/payments_refunded",
    "/payments/total_revenue",
    "/payments/total_refunded",
    "/trips/trips_started",
    "/trips/trips_completed",
    "/trips/total_driver_earnings",
    "/users/new_registrations",
    "/users/total_users",
];

#[test]
fn the_states_and_the_unknown_add_up_to_the_country() {
    let sheet = to_value(Sheet::of(&key(events().iter()), &question())).unwrap();
    let states = sheet["by_state"].as_object().unwrap();
    assert!(states.len() > 20 && states.contains_key("unknown"));
    for path in ADDITIVE {
        let sum: i64 = states.values().map(|state| additive(state, path)).sum();
        assert_eq!(sum, additive(&sheet, path), "{path}");
        assert!(sum > 0, "{path}");
    }
    assert!(additive(&states["unknown"], "/bookings/bookings_created") > 0);
}

#[test]
fn the_buckets_add_up_to_the_range() {
    let key = key(events().iter());
    for granularity in [
        Granularity::Hourly,
        Granularity::Daily,
        Granularity::Weekly,
        Granularity::Monthly,
    ] {
        let sheet = to_value(Sheet::of(&key, &question().by(granularity))).unwrap();
        for path in ADDITIVE
            .iter()
            .filter(|path| **path != "/users/total_users")
        {
            let (metric, field) = path.trim_start_matches('/').split_once('/').unwrap();
            let series = sheet[metric]["time_series"].as_array().unwrap();
            let field = format!("/{field}");
            let sum: i64 = series.iter().map(|point| additive(point, &field)).sum();
            assert_eq!(sum, additive(&sheet, path), "{path}");
        }
    }
}

#[test]
fn every_driver_and_every_booking_of_a_route_is_in_the_long_list() {
    let key = key(events().iter());
    let drivers = key.drivers(&question(), usize::MAX).drivers;
    let trips = key.trips(&question());
    assert_eq!(
        drivers.iter().map(|row| row.total_trips).sum::<u64>(),
        trips.trips_completed
    );
    assert_eq!(
        drivers.iter().map(|row| row.total_earnings.0).sum::<i64>(),
        trips.total_driver_earnings.0
    );
    assert!(drivers.is_sorted_by_key(|row| std::cmp::Reverse(row.total_earnings)));
    let routes = key.routes(&question(), usize::MAX).routes;
    let bookings = key.bookings(&question());
    assert_eq!(
        routes.iter().map(|row| row.total_bookings).sum::<u64>(),
        bookings.bookings_confirmed
    );
    let fullest = routes
        .iter()
        .filter_map(|row| row.avg_occupancy)
        .max()
        .unwrap();
    assert!((1..=10_000).contains(&fullest.0), "{fullest:?}");
}
