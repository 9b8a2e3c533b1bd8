//! The identity of an event whose producer gave it none.
//!
//! It is the UUIDv5 under [`IDENTITY_NAMESPACE`] of these bytes, joined by one zero byte each:
//!
//! 1. `event_type`, in ASCII;
//! 2. the entity id, the id that the topic is named after (of a location event `driver_id`), as 36
//!    lower-case characters with hyphens;
//! 3. `event_timestamp`, the text as received (after JSON's escapes are undone), in UTF-8;
//! 4. the adapted event in the form of RFC 8785, in UTF-8.
//!
//! The *adapted event* is the record as received with the field names of the contract in place of the
//! adapter's aliases, and with `event_type` if the adapter supplied it. Defaults are not filled in,
//! unknown fields are part of it; of an unknown field that is given twice the last value counts.
//!
//! RFC 8785 is defined for I-JSON alone, so an event without an `event_id` whose unknown fields hold a
//! lone surrogate or a number beyond a double has no identity and is refused.

use serde_json::{Map, Value};
use uuid::{Uuid, uuid};

use crate::{Adapter, EventType, ReasonCode, Rejection};

/// The UUIDv5, in the namespace for URLs, of `https://openride.ng/schemas/event-identity`. Fixed for ever:
/// another one would make every event without an `event_id` new again.
pub const IDENTITY_NAMESPACE: Uuid = uuid!("5dbfae75-45de-5b10-9b39-f2baa1016b47");

/// Derives the identity of a valid event from the text of its record.
pub(crate) fn derive(
    text: &str,
    kind: EventType,
    entity_id: Uuid,
    adapter: Option<&Adapter>,
) -> Result<Uuid, Rejection> {
    let received: Map<String, Value> = serde_json::from_str(text).map_err(|e| not_i_json(&e))?;
    let adapted = adapt(received, kind, adapter);
    let timestamp = adapted
        .get("event_timestamp")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let canonical = serde_json_canonicalizer::to_vec(&adapted).map_err(|e| not_i_json(&e))?;
    let mut key = [0; 36];
    let name = [
        kind.as_str().as_bytes(),
        entity_id.hyphenated().encode_lower(&mut key).as_bytes(),
        timestamp.as_bytes(),
        &canonical,
    ]
    .join(&0);
    Ok(Uuid::new_v5(&IDENTITY_NAMESPACE, &name))
}

fn adapt(
    received: Map<String, Value>,
    kind: EventType,
    adapter: Option<&Adapter>,
) -> Map<String, Value> {
    let Some(adapter) = adapter else {
        return received;
    };
    let renamed = received
        .into_iter()
        .map(|(name, value)| (adapter.canonical(&name).to_owned(), value));
    let mut adapted: Map<String, Value> = renamed.collect();
    adapted
        .entry("event_type")
        .or_insert_with(|| kind.as_str().into());
    adapted
}

fn not_i_json(error: &serde_json::Error) -> Rejection {
    let reason = if error.to_string().starts_with("number out of range") {
        ReasonCode::OutOfRange
    } else {
        ReasonCode::InvalidJson
    };
    Rejection::at(
        "$",
        reason,
        "no event_id, and the event is not I-JSON, so it has no identity",
    )
}
