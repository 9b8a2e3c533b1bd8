//! What every event has, whatever it is about.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::text::{ParseText, text_value};
use crate::{Event, EventId, EventType, Fault, ReasonCode, Text, Timestamp};

/// The version of an event's schema, `model-revision-addition`. Only model 1 is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SchemaVersion {
    /// Of a change that does not change the meaning of events already written.
    pub revision: u16,
    /// Of an addition.
    pub addition: u16,
}

impl SchemaVersion {
    const MODEL: u16 = 1;
}

impl Default for SchemaVersion {
    /// `1-0-0`, the version of an event that names none.
    fn default() -> Self {
        Self {
            revision: 0,
            addition: 0,
        }
    }
}

impl fmt::Display for SchemaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", Self::MODEL, self.revision, self.addition)
    }
}

impl ParseText for SchemaVersion {
    const EXPECTED: &'static str = "a version string";

    fn parse_text(text: &str) -> Result<Self, Fault> {
        const FORM: Fault = Fault::pattern("expected a version like 1-0-0");
        let mut parts = text.split('-').map(version_part);
        let (Some(model), Some(revision), Some(addition), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(FORM);
        };
        match (
            model.ok_or(FORM)?,
            revision.ok_or(FORM)?,
            addition.ok_or(FORM)?,
        ) {
            (Self::MODEL, revision, addition) => Ok(Self { revision, addition }),
            _ => Err(Fault::new(
                ReasonCode::UnsupportedSchemaVersion,
                "expected a version 1-x-y",
            )),
        }
    }
}

text_value!(SchemaVersion, "SchemaVersion", {
    "type": "string", "pattern": "^1-[0-9]{1,4}-[0-9]{1,4}$"
});

fn version_part(text: &str) -> Option<u16> {
    let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// The fields that every event may have, beside those of its type. For the JSON Schemas.
#[derive(Serialize, JsonSchema)]
pub(crate) struct EnvelopeFields {
    /// What happened.
    pub(crate) event_type: String,
    /// When it happened. Decides in which period it counts.
    pub(crate) event_timestamp: Timestamp,
    /// The event's identity. Without one it is derived from the event itself.
    pub(crate) event_id: Option<EventId>,
    /// The version of the event's schema; `1-0-0` when absent.
    pub(crate) schema_version: Option<SchemaVersion>,
    /// The trace in which it happened.
    pub(crate) trace_id: Option<String>,
}

/// An event as its producer writes it: the envelope and the event's fields in one flat object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message<'a> {
    /// What happened.
    pub event_type: EventType,
    /// When it happened.
    pub event_timestamp: Timestamp,
    /// The event's identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// The version of the event's schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<SchemaVersion>,
    /// The trace in which it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<Text<'a>>,
    /// The fields of its type.
    #[serde(flatten)]
    pub event: Event<'a>,
}

impl<'a> Message<'a> {
    /// A message with only what every event must have.
    #[must_use]
    pub fn new(event_timestamp: Timestamp, event: Event<'a>) -> Self {
        Self {
            event_type: event.event_type(),
            event_timestamp,
            event_id: None,
            schema_version: None,
            trace_id: None,
            event,
        }
    }
}
