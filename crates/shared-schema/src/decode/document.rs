//! One object, read as a given type.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::field::{Envelope, Extent, OwnFields};
use crate::{Adapter, Event, EventType, Timestamp};

/// A record whose every field has the form of its type.
#[derive(Debug, PartialEq)]
pub(super) struct Document<'a> {
    pub(super) envelope: Envelope<'a>,
    pub(super) timestamp: Timestamp,
    pub(super) event: Event<'a>,
}

/// Reads an object as an event of type `kind`, whatever its own `event_type` says.
pub(super) struct AsType<'e> {
    pub(super) kind: EventType,
    pub(super) adapter: Option<&'e Adapter>,
}

impl<'de> DeserializeSeed<'de> for AsType<'_> {
    type Value = Document<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for AsType<'_> {
    type Value = Document<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
        let mut envelope = Envelope::default();
        let fields = OwnFields {
            map,
            adapter: self.adapter,
            extent: Extent::Whole,
            envelope: &mut envelope,
        };
        let event = Event::deserialize_as(self.kind, MapAccessDeserializer::new(fields))?;
        let timestamp = envelope
            .event_timestamp
            .ok_or_else(|| de::Error::missing_field("event_timestamp"))?;
        Ok(Document {
            envelope,
            timestamp,
            event,
        })
    }
}

/// Reads of an object only what decides how the rest is to be read.
pub(super) struct Head<'e> {
    pub(super) adapter: Option<&'e Adapter>,
}

impl<'de> DeserializeSeed<'de> for Head<'_> {
    type Value = Envelope<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Head<'_> {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
        let mut envelope = Envelope::default();
        let fields = OwnFields {
            map,
            adapter: self.adapter,
            extent: Extent::Head,
            envelope: &mut envelope,
        };
        IgnoredAny::deserialize(MapAccessDeserializer::new(fields))?;
        Ok(envelope)
    }
}
