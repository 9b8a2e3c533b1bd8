//! The way of the records in which something is wrong: slower, and able to say what and where.

use serde::de::{DeserializeSeed, IgnoredAny};
use serde_path_to_error::{Deserializer as Tracked, Track};

use super::document::{AsType, Document, Head};
use super::fault;
use super::field::Envelope;
use crate::{EventType, ReasonCode, Rejection, Subscription};

/// Judges in a fixed order: one JSON object, its type, its topic, its version, its fields.
pub(super) fn decode<'a>(text: &'a str, source: &Subscription) -> Result<Document<'a>, Rejection> {
    check_syntax(text)?;
    let head = tracked(
        text,
        Head {
            adapter: source.adapter,
        },
    )?;
    let kind = event_type(&head, source)?;
    tracked(
        text,
        AsType {
            kind,
            adapter: source.adapter,
        },
    )
}

fn check_syntax(text: &str) -> Result<(), Rejection> {
    if text.is_empty() {
        return Err(Rejection::at(
            "$",
            ReasonCode::InvalidJson,
            "the record has no value",
        ));
    }
    if text.starts_with('\u{feff}') {
        return Err(Rejection::at(
            "$",
            ReasonCode::InvalidJson,
            "begins with a byte order mark",
        ));
    }
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| fault::syntax(&error))?;
    if text.trim_ascii_start().starts_with('{') {
        Ok(())
    } else {
        Err(Rejection::at(
            "$",
            ReasonCode::NotAnObject,
            "expected an object",
        ))
    }
}

fn event_type(head: &Envelope<'_>, source: &Subscription) -> Result<EventType, Rejection> {
    const PATH: &str = "$.event_type";
    let kind = match (&head.event_type, source.adapter) {
        (Some(own), _) => EventType::parse(own).ok_or_else(|| {
            Rejection::at(
                PATH,
                ReasonCode::UnknownEventType,
                "expected a type of the contract",
            )
        })?,
        (None, Some(adapter)) => adapter.event_type(),
        (None, None) => {
            return Err(Rejection::at(
                PATH,
                ReasonCode::MissingField,
                "expected an event type",
            ));
        }
    };
    if source.event_types.contains(kind) {
        return Ok(kind);
    }
    let detail = format!("{kind} does not come from the topic {}", source.topic);
    Err(Rejection::at(PATH, ReasonCode::WrongTopic, detail))
}

fn tracked<'de, S: DeserializeSeed<'de>>(text: &'de str, seed: S) -> Result<S::Value, Rejection> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = Track::new();
    seed.deserialize(Tracked::new(&mut json, &mut track))
        .map_err(|error| fault::at(&error, &track.path()))
}
