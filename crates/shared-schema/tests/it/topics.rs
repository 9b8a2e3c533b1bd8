//! One event type comes from one topic.

use rstest::rstest;
use shared_schema::{Domain, EventType, Subscriptions, TopicsConfig, TopicsError, decode};

use crate::samples::fixture;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn refusal(config: &TopicsConfig) -> TopicsError {
    Subscriptions::new(config).unwrap_err()
}

#[test]
fn the_default_is_the_six_topics_and_every_type_once() {
    let all = Subscriptions::new(&TopicsConfig::default()).unwrap();
    let expected = Domain::ALL.map(|domain| format!("openride.events.{domain}"));
    assert_eq!(all.topics().collect::<Vec<_>>(), expected);
    for &kind in EventType::ALL {
        assert_eq!(
            all.iter()
                .filter(|source| source.event_types.contains(kind))
                .count(),
            1
        );
        assert_eq!(all.carrying(kind).unwrap().domain, kind.domain());
    }
    assert_eq!(
        Subscriptions::default().topics().collect::<Vec<_>>(),
        expected
    );
}

#[test]
fn a_legacy_topic_beside_the_standard_one_is_refused_and_both_are_named() {
    let config = TopicsConfig {
        legacy_topics: names(&["booking.created"]),
        ..TopicsConfig::default()
    };
    let error = refusal(&config);
    assert_eq!(
        error,
        TopicsError::CarriedTwice {
            event_type: EventType::BookingCreated,
            first: "openride.events.booking".to_owned(),
            second: "booking.created".to_owned(),
        }
    );
    let text = error.to_string();
    assert!(
        text.contains("openride.events.booking") && text.contains("`booking.created`"),
        "{text}"
    );
    assert!(text.contains("moved_event_types"), "{text}");
}

#[test]
fn a_moved_type_comes_from_the_legacy_topic_alone() {
    let config = TopicsConfig {
        legacy_topics: names(&["booking.created"]),
        moved_event_types: names(&["booking.created"]),
        ..TopicsConfig::default()
    };
    let all = Subscriptions::new(&config).unwrap();
    assert_eq!(
        all.carrying(EventType::BookingCreated).unwrap().topic,
        "booking.created"
    );
    let standard = all.by_topic("openride.events.booking").unwrap();
    let bytes = fixture(EventType::BookingCreated);
    assert_eq!(
        decode(&bytes, standard).unwrap_err().reason.as_str(),
        "wrong_topic"
    );
    let bytes = fixture(EventType::BookingConfirmed);
    assert!(decode(&bytes, standard).is_ok());
}

#[rstest]
#[case::twice(&["trip.started", "trip.started"], &["trip.started"], "`trip.started` is named twice")]
#[case::no_adapter(&["trip.paused"], &[], "no adapter reads the topic `trip.paused`")]
#[case::no_type(&[], &["trip.paused"], "`trip.paused`, which is no event type")]
#[case::nowhere(&[], &["trip.started"], "trip.started, but none of legacy_topics carries it")]
#[case::other(&["trip.started"], &["trip.completed"], "trip.completed, but none")]
fn a_configuration_without_sense_is_refused(
    #[case] legacy: &[&str],
    #[case] moved: &[&str],
    #[case] expected: &str,
) {
    let config = TopicsConfig {
        legacy_topics: names(legacy),
        moved_event_types: names(moved),
        ..TopicsConfig::default()
    };
    let text = refusal(&config).to_string();
    assert!(text.contains(expected), "{text}");
}

#[test]
fn two_domains_may_not_share_a_topic() {
    let config = TopicsConfig {
        trip: "rides".into(),
        booking: "rides".into(),
        ..Default::default()
    };
    assert_eq!(
        refusal(&config),
        TopicsError::NamedTwice {
            topic: "rides".to_owned()
        }
    );
}

#[test]
fn a_topic_must_have_a_name() {
    let config = TopicsConfig {
        trip: String::new(),
        ..TopicsConfig::default()
    };
    assert_eq!(
        refusal(&config),
        TopicsError::NoName {
            domain: Domain::Trip
        }
    );
}

#[test]
fn an_unknown_setting_is_refused() {
    assert!(serde_json::from_str::<TopicsConfig>(r#"{"trips": "x"}"#).is_err());
    let partly: TopicsConfig = serde_json::from_str(r#"{"trip": "x"}"#).unwrap();
    assert_eq!(
        partly,
        TopicsConfig {
            trip: "x".to_owned(),
            ..TopicsConfig::default()
        }
    );
}

#[test]
fn stored_codes_and_names_are_stable() {
    let codes: Vec<u8> = EventType::ALL.iter().map(|kind| kind.code()).collect();
    assert_eq!(codes, (1..=19).collect::<Vec<u8>>());
    for &kind in EventType::ALL {
        assert_eq!(EventType::parse(kind.as_str()), Some(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
    insta::assert_snapshot!(
        EventType::ALL
            .iter()
            .map(|kind| format!("{} {kind}\n", kind.code()))
            .collect::<String>()
    );
}
