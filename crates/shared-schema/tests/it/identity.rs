//! The identity of events whose producer gave them none.

use rstest::rstest;
use serde_json::Value;
use shared_schema::{EventType, IDENTITY_NAMESPACE};
use uuid::Uuid;

use crate::samples::{accepted, changed, decode_as, with, without};

#[test]
fn the_namespace_is_the_published_one() {
    let name = b"https://openride.ng/schemas/event-identity";
    assert_eq!(IDENTITY_NAMESPACE, Uuid::new_v5(&Uuid::NAMESPACE_URL, name));
}

// Computed by a program of another language from the description in `src/identity.rs` alone.
#[rstest]
#[case(EventType::BookingCreated, "9b6dea62-329e-5fad-a6d8-71c5e04d2830")]
#[case(EventType::UserRegistered, "3867bec1-871a-5e23-a9a6-1a99bbd6b576")]
#[case(
    EventType::DriverLocationUpdated,
    "7e6c2854-ab1b-58d3-811a-330064850962"
)]
fn the_identity_is_as_described(#[case] kind: EventType, #[case] expected: Uuid) {
    assert_eq!(
        accepted(kind, &without(kind, "event_id")).event_id,
        expected
    );
}

#[test]
fn a_given_identity_is_kept() {
    let bytes = with(
        EventType::TripStarted,
        "event_id",
        r#""C0FFEE0C-5eed-4abc-9def-0123456789ab""#,
    );
    assert_eq!(
        accepted(EventType::TripStarted, &bytes).event_id,
        Uuid::parse_str("c0ffee0c-5eed-4abc-9def-0123456789ab").unwrap()
    );
}

#[test]
fn the_order_of_fields_and_the_spelling_of_numbers_do_not_matter() {
    let bytes = without(EventType::TripCompleted, "event_id");
    let text = String::from_utf8(bytes.clone()).unwrap();
    let event: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
    let reversed: Vec<String> = event
        .iter()
        .rev()
        .map(|(k, v)| format!("{k:?} : {v}"))
        .collect();
    let rewritten = format!("{{{}}}", reversed.join(",\n"))
        .replace("128.4", "1284e-1")
        .into_bytes();
    assert_eq!(
        accepted(EventType::TripCompleted, &bytes).event_id,
        accepted(EventType::TripCompleted, &rewritten).event_id
    );
}

#[rstest]
#[case("duration_minutes", "106")]
#[case("event_timestamp", r#""2026-03-02T08:12:07.251+01:00""#)]
#[case("surprise", "1")]
fn another_content_is_another_event(#[case] field: &str, #[case] json: &str) {
    let kind = EventType::TripCompleted;
    let bytes = without(kind, "event_id");
    let other = String::from_utf8(with(kind, field, json)).unwrap();
    let mut other: serde_json::Map<String, Value> = serde_json::from_str(&other).unwrap();
    other.remove("event_id");
    let other = serde_json::to_vec(&other).unwrap();
    assert_ne!(
        accepted(kind, &bytes).event_id,
        accepted(kind, &other).event_id
    );
}

#[rstest]
#[case("1e400", "out_of_range")]
#[case(r#""\ud800""#, "invalid_json")]
fn an_event_without_an_id_must_have_a_canonical_form(#[case] json: &str, #[case] reason: &str) {
    let kind = EventType::TripStarted;
    let marked = changed(kind, |event| {
        event.remove("event_id");
        event.insert("surprise".to_owned(), "@@".into());
    });
    let bytes = String::from_utf8(marked)
        .unwrap()
        .replace("\"@@\"", json)
        .into_bytes();
    let rejection = decode_as(kind, &bytes).unwrap_err();
    assert_eq!(
        (rejection.reason.as_str(), rejection.path.as_str()),
        (reason, "$")
    );
}
