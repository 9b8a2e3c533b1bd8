//! Producers with one topic per event and camelCase names.

use rstest::rstest;
use serde_json::{Map, Value};
use shared_schema::{Adapter, Decoded, EventType, Rejection, Subscriptions, TopicsConfig, decode};

use crate::samples::{accepted, camel_fixture, fields_of, fixture};

fn legacy(topic: &str) -> Subscriptions {
    let config = TopicsConfig {
        legacy_topics: vec![topic.to_owned()],
        moved_event_types: vec![topic.to_owned()],
        ..TopicsConfig::default()
    };
    Subscriptions::new(&config).unwrap()
}

fn decode_legacy<'a>(topic: &str, bytes: &'a [u8]) -> Result<Decoded<'a>, Rejection> {
    decode(bytes, legacy(topic).by_topic(topic).unwrap())
}

fn object(bytes: &[u8]) -> Map<String, Value> {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn there_is_an_adapter_for_each_of_the_eighteen_types() {
    let topics: Vec<&str> = Adapter::all().iter().map(Adapter::topic).collect();
    let types = EventType::ALL
        .iter()
        .filter(|kind| **kind != EventType::RouteUpdated);
    assert_eq!(topics, types.map(|kind| kind.as_str()).collect::<Vec<_>>());
}

#[test]
fn each_legacy_example_is_the_event_of_the_contract() {
    for adapter in Adapter::all() {
        let (kind, topic) = (adapter.event_type(), adapter.topic());
        let (bytes, standard) = (camel_fixture(topic), fixture(kind));
        let decoded = decode_legacy(topic, &bytes).unwrap_or_else(|e| panic!("{topic}: {e}"));
        let expected = accepted(kind, &standard);
        assert_eq!(decoded.event, expected.event);
        assert_eq!(decoded.event_id, expected.event_id);
        assert_eq!(decoded.timestamp_ms, expected.timestamp_ms);
    }
}

#[test]
fn each_alias_stands_for_a_field_of_its_type_and_is_none_itself() {
    for adapter in Adapter::all() {
        let fields = fields_of(adapter.event_type()).0;
        for (alias, name) in adapter.aliases() {
            assert!(
                fields.iter().any(|field| field == name),
                "{}: {name}",
                adapter.topic()
            );
            assert!(
                fields.iter().all(|field| field != alias),
                "{}: {alias}",
                adapter.topic()
            );
        }
    }
}

#[test]
fn each_field_of_two_words_has_its_camel_case_alias() {
    for adapter in Adapter::all() {
        for field in fields_of(adapter.event_type())
            .0
            .iter()
            .filter(|field| field.contains('_'))
        {
            assert!(
                adapter.aliases().any(|(_, name)| name == field),
                "{} {field}",
                adapter.topic()
            );
        }
    }
}

#[rstest]
#[case("booking.created", "totalAmount", "totalPrice")]
#[case("booking.confirmed", "numberOfSeats", "seatsBooked")]
#[case("booking.completed", "bookingId", "booking_id")]
fn a_field_may_have_several_names(#[case] topic: &str, #[case] used: &str, #[case] other: &str) {
    let bytes = camel_fixture(topic);
    let mut event = object(&bytes);
    let value = event.remove(used).unwrap();
    event.insert(other.to_owned(), value);
    let renamed = serde_json::to_vec(&event).unwrap();
    assert_eq!(decode_legacy(topic, &renamed), decode_legacy(topic, &bytes));
}

#[test]
fn one_field_under_two_names_is_refused() {
    let mut event = object(&camel_fixture("booking.created"));
    event.insert("total_price".to_owned(), "3000.00".into());
    let bytes = serde_json::to_vec(&event).unwrap();
    let rejection = decode_legacy("booking.created", &bytes).unwrap_err();
    assert_eq!(rejection.reason.as_str(), "invalid_json");
    assert_eq!(rejection.path, "$.total_price");
}

#[test]
fn a_path_names_the_field_as_it_was_received() {
    let mut event = object(&camel_fixture("booking.created"));
    event.insert("totalAmount".to_owned(), "-1.00".into());
    let bytes = serde_json::to_vec(&event).unwrap();
    let rejection = decode_legacy("booking.created", &bytes).unwrap_err();
    assert_eq!(rejection.reason.as_str(), "out_of_range");
    assert_eq!(rejection.path, "$.totalAmount");
}

#[rstest]
#[case("trip.completed", "wrong_topic")]
#[case("trip.paused", "unknown_event_type")]
fn a_legacy_record_may_not_name_another_type(#[case] own: &str, #[case] reason: &str) {
    let mut event = object(&camel_fixture("trip.started"));
    event.insert("eventType".to_owned(), own.into());
    let bytes = serde_json::to_vec(&event).unwrap();
    assert_eq!(
        decode_legacy("trip.started", &bytes)
            .unwrap_err()
            .reason
            .as_str(),
        reason
    );
}

#[test]
fn the_identity_is_that_of_the_adapted_event() {
    for adapter in Adapter::all() {
        let (kind, topic) = (adapter.event_type(), adapter.topic());
        let mut camel = object(&camel_fixture(topic));
        camel.remove("eventId");
        let mut standard = object(&fixture(kind));
        for absent in ["event_id", "trace_id", "schema_version"] {
            standard.remove(absent);
        }
        let camel = serde_json::to_vec(&camel).unwrap();
        let standard = serde_json::to_vec(&standard).unwrap();
        assert_eq!(
            decode_legacy(topic, &camel).unwrap().event_id,
            accepted(kind, &standard).event_id,
            "{topic}"
        );
    }
}

#[test]
fn a_camel_case_record_on_a_topic_of_the_contract_is_refused() {
    let bytes = camel_fixture("trip.started");
    let standard = Subscriptions::default();
    let rejection = decode(&bytes, standard.carrying(EventType::TripStarted).unwrap()).unwrap_err();
    assert_eq!(rejection.reason.as_str(), "missing_field");
    assert_eq!(rejection.path, "$.event_type");
}
