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
        event_type,
        timestamp_ms: Timestamp::ms(timestamp),
        schema_version: envelope.schema_version.unwrap_or_default(),
        trace_id: envelope.trace_id,
        event,
        entity_id,
    })
}
