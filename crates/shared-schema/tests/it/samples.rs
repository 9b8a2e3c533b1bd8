//! The example events under `fixtures/`, and ways to break them.

use std::path::PathBuf;

use serde_json::Value;
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

/// The default subscription that carries a type.
pub(crate) fn source(kind: EventType) -> Subscription {
    Subscriptions::default().carrying(kind).unwrap().clone()
}

/// The example of a type after `change` as bytes.
pub(crate) fn changed(kind: EventType, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value = serde_json::from_slice(&fixture(kind)).unwrap();
    change(&mut value);
    serde_json::to_vec(&value).unwrap()
}

/// The example of a type with the JSON text of one field replaced, or the field added.
pub(crate) fn with(kind: EventType, field: &str, json: &str) -> Vec<u8> {
    let text = String::from_utf8(changed(kind, |event| {
        event[field] = Value::String("@@".into());
    }))
    .unwrap();
    text.replace("\"@@\"", json).into_bytes()
}

/// The example of a type without a field.
pub(crate) fn without(kind: EventType, field: &str) -> Vec<u8> {
    changed(kind, |event| {
        event.as_object_mut().unwrap().remove(field).unwrap();
    })
}

/// Decodes as from the topic that carries `kind`.
pub(crate) fn decode_as(kind: EventType, bytes: &[u8]) -> Result<Decoded<'_>, Rejection> {
    decode(bytes, &source(kind))
}
