//! The way that nearly every record takes: guess the type, then parse once.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::de::DeserializeSeed;

use super::document::{AsType, Document};
use crate::{EventType, Subscription};

static NEEDLE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"event_type\""));

/// The document, if nothing at all is wrong with it; `None` decides nothing.
pub(super) fn decode<'a>(text: &'a str, source: &Subscription) -> Option<Document<'a>> {
    let guess = match source.adapter {
        Some(adapter) => adapter.event_type(),
        None => guess_type(text)?,
    };
    if !source.event_types.contains(guess) {
        return None;
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let seed = AsType {
        kind: guess,
        adapter: source.adapter,
    };
    let document = seed.deserialize(&mut json).ok()?;
    json.end().ok()?;
    // The guess may have come from inside a string or a nested object.
    let confirmed = match &document.envelope.event_type {
        Some(own) => own.as_str() == guess.as_str(),
        None => source.adapter.is_some(),
    };
    confirmed.then_some(document)
}

/// The type that stands behind the first thing that looks like an `event_type`.
fn guess_type(text: &str) -> Option<EventType> {
    let start = NEEDLE.find(text.as_bytes())? + NEEDLE.needle().len();
    let value = text.get(start..)?.trim_ascii_start().strip_prefix(':')?;
    let (name, _) = value
        .trim_ascii_start()
        .strip_prefix('"')?
        .split_once('"')?;
    EventType::parse(name)
}
