//! From the bytes of a record to a typed event, or to the reason why not.
//!
//! ```text
//! bytes ─▶ size, UTF-8 ─▶ fast: guess the type, one typed parse ─▶ Decoded
//!                           │ anything at all is wrong
//!                           └▶ thorough: syntax, type, version, fields ─▶ Rejection (or Decoded)
//! ```
//!
//! The fast way only ever says yes. Everything else is left to the thorough way, which judges in a fixed
//! order whatever the order of the fields: an event of a future version is *unsupported*, not one in
//! which a field is missing.

mod depth;
mod document;
mod fast;
mod fault;
mod field;
mod thorough;

use uuid::Uuid;

use crate::{
    Event, EventType, ReasonCode, Rejection, SchemaVersion, Subscription, Text, Timestamp, identity,
};
use document::Document;

/// A valid event.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<'a> {
    /// The identity that the producer gave, or the one that is derived from the event.
    pub event_id: Uuid,
    /// Whether it is derived: then it tells the event's content, however that is written.
    pub is_id_derived: bool,
    /// What happened.
    pub event_type: EventType,
    /// When it happened, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// The version of the event's schema.
    pub schema_version: SchemaVersion,
    /// The trace in which it happened.
    pub trace_id: Option<Text<'a>>,
    /// The fields of its type.
    pub event: Event<'a>,
    /// The id that the topic is named after: the record's key.
    pub entity_id: Uuid,
}

/// Decodes the value of a record that came from `source`. A record without a value is empty bytes.
///
/// The answer depends on the arguments alone. An event's age is judged apart, by
/// [`judge_age`](crate::judge_age).
///
/// # Errors
/// Why the record cannot be accepted.
pub fn decode<'a>(bytes: &'a [u8], source: &Subscription) -> Result<Decoded<'a>, Rejection> {
    if bytes.len() > source.max_event_bytes {
        let detail = format!("expected at most {} bytes", source.max_event_bytes);
        return Err(Rejection::at("$", ReasonCode::TooLarge, detail));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let detail = format!("not UTF-8 from byte {}", error.valid_up_to());
        Rejection::at("$", ReasonCode::InvalidUtf8, detail)
    })?;
    depth::check(text)?;
    match fast::decode(text, source) {
        Some(document) => finish(text, document, source),
        None => finish(text, thorough::decode(text, source)?, source),
    }
}

fn finish<'a>(
    text: &str,
    document: Document<'a>,
    source: &Subscription,
) -> Result<Decoded<'a>, Rejection> {
    let Document {
        envelope,
        event,
        timestamp,
    } = document;
    let event_type = event.event_type();
    let entity_id = event.entity_id();
    let event_id = match envelope.event_id {
        Some(given) => given.uuid(),
        None => identity::derive(text, event_type, entity_id, source.adapter)?,
    };
    Ok(Decoded {
        event_id,
        is_id_derived: envelope.event_id.is_none(),
        event_type,
        timestamp_ms: Timestamp::ms(timestamp),
        schema_version: envelope.schema_version.unwrap_or_default(),
        trace_id: envelope.trace_id,
        event,
        entity_id,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    use super::{fast, thorough};
    use crate::{EventType, Subscriptions};

    fn example(kind: EventType) -> String {
        let path = format!("{}/fixtures/{kind}.json", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn the_fast_way_takes_every_example() {
        let all = Subscriptions::default();
        for &kind in EventType::ALL {
            assert!(
                fast::decode(&example(kind), all.carrying(kind).unwrap()).is_some(),
                "{kind}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_the_fast_way_takes_the_thorough_way_takes_alike(
            kind in select(EventType::ALL),
            place in any::<Index>(),
            piece in "[ -~]{0,3}",
            cut in 0..4_usize,
        ) {
            let mut text = example(kind);
            let start = place.index(text.len());
            let end = (start + cut).min(text.len());
            if text.is_char_boundary(start) && text.is_char_boundary(end) {
                text.replace_range(start..end, &piece);
            }
            let all = Subscriptions::default();
            let source = all.carrying(kind).unwrap();
            match (fast::decode(&text, source), thorough::decode(&text, source)) {
                (Some(fast), thorough) => prop_assert_eq!(Ok(fast), thorough),
                // Only an announcement that the guess does not see may be left to the thorough way.
                (None, Ok(_)) => {
                    let plain = format!("\"event_type\": \"{kind}\"");
                    prop_assert!(!text.contains(&plain));
                }
                (None, Err(_)) => {}
            }
        }
    }
}
