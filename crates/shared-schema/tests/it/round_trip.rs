//! What we write, we read.

use shared_schema::{EventType, Message, Timestamp};

use crate::samples::{accepted, fixture};

#[test]
fn an_event_that_is_written_again_is_the_same_event() {
    for &kind in EventType::ALL {
        let bytes = fixture(kind);
        let first = accepted(kind, &bytes);
        let message = Message {
            event_id: Some(first.event_id.into()),
            schema_version: Some(first.schema_version),
            trace_id: first.trace_id.clone(),
            ..Message::new(
                Timestamp::from_ms(first.timestamp_ms).unwrap(),
                first.event.clone(),
            )
        };
        let written = serde_json::to_vec(&message).unwrap();
        assert_eq!(accepted(kind, &written), first);
    }
}

#[test]
fn an_event_with_only_what_it_must_have_is_written_without_nulls() {
    for &kind in EventType::ALL {
        let bytes = fixture(kind);
        let decoded = accepted(kind, &bytes);
        let message = Message::new(
            Timestamp::from_ms(decoded.timestamp_ms).unwrap(),
            decoded.event,
        );
        let written = serde_json::to_value(&message).unwrap();
        let fields = written.as_object().unwrap();
        assert!(fields.values().all(|value| !value.is_null()), "{written}");
        assert!(!fields.contains_key("event_id"));
    }
}
