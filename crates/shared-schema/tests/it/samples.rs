//! The example events under `fixtures/`, and ways to break them.

use std::path::PathBuf;

use serde_json::{Map, Value};
use shared_schema::{Decoded, EventType, Rejection, Subscription, Subscriptions, decode};

fn read(folder: &str, name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(folder)
        .join(format!("{name}.json"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The example of a type, as the contract has it.
pub(crate) fn fixture(kind: EventType) -> Vec<u8> {
    read("fixtures", kind.as_str())
}

/// The example of a type, as a producer with a topic per event has it.
pub(crate) fn camel_fixture(topic: &str) -> Vec<u8> {
    read("fixtures/camel", topic)
}

/// The checked-in JSON Schema of a type.
pub(crate) fn stored_schema(kind: EventType) -> Value {
    serde_json::from_slice(&read("schemas", kind.as_str())).unwrap()
}

/// The names that a type's schema lists under `properties`, and those under `required`.
pub(crate) fn fields_of(kind: EventType) -> (Vec<String>, Vec<String>) {
    let schema = stored_schema(kind);
    let all = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let required = schema["required"].as_array().unwrap();
    (
        all,
        required
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect(),
    )
}

/// The default subscription that carries a type.
pub(crate) fn source(kind: EventType) -> Subscription {
    Subscriptions::default().carrying(kind).unwrap().clone()
}

/// The example of a type as bytes, after `change`.
pub(crate) fn changed(kind: EventType, change: impl FnOnce(&mut Map<String, Value>)) -> Vec<u8> {
    let mut event: Map<String, Value> = serde_json::from_slice(&fixture(kind)).unwrap();
    change(&mut event);
    serde_json::to_vec(&event).unwrap()
}

/// The example of a type with the JSON text of one field replaced, or the field added.
pub(crate) fn with(kind: EventType, field: &str, json: &str) -> Vec<u8> {
    let marked = changed(kind, |event| {
        event.insert(field.to_owned(), Value::String("@@".to_owned()));
    });
    String::from_utf8(marked)
        .unwrap()
        .replace("\"@@\"", json)
        .into_bytes()
}

/// The example of a type without a field.
pub(crate) fn without(kind: EventType, field: &str) -> Vec<u8> {
    changed(kind, |event| {
        event.remove(field).unwrap();
    })
}

/// Decodes as from the topic that carries `kind`.
pub(crate) fn decode_as(kind: EventType, bytes: &[u8]) -> Result<Decoded<'_>, Rejection> {
    decode(bytes, &source(kind))
}

/// Decodes what must be accepted.
pub(crate) fn accepted(kind: EventType, bytes: &[u8]) -> Decoded<'_> {
    decode_as(kind, bytes).unwrap_or_else(|rejection| {
        panic!("{kind}: {rejection}\n{}", String::from_utf8_lossy(bytes))
    })
}

/// Decodes what must be refused, and gives the reason code and the path.
pub(crate) fn refused(kind: EventType, bytes: &[u8]) -> (&'static str, String) {
    match decode_as(kind, bytes) {
        Err(rejection) => (rejection.reason.as_str(), rejection.path),
        Ok(_) => panic!("{kind} was accepted\n{}", String::from_utf8_lossy(bytes)),
    }
}
