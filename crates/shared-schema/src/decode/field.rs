//! The envelope's fields, taken out of an object while the rest of it is read.

use std::borrow::Cow;
use std::fmt;

use serde::de::IntoDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::{Adapter, EventId, SchemaVersion, Text, Timestamp};

/// What the envelope said. Nothing is checked here but the form of each value.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Envelope<'a> {
    pub(super) event_type: Option<Text<'a>>,
    pub(super) event_timestamp: Option<Timestamp>,
    pub(super) event_id: Option<EventId>,
    pub(super) schema_version: Option<SchemaVersion>,
    pub(super) trace_id: Option<Text<'a>>,
    seen: u8,
}

/// How much of the envelope is read; the rest of it is skipped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Only what decides how the rest is to be read: the type and the version.
    Head,
    /// All of it.
    Whole,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    EventType,
    EventTimestamp,
    EventId,
    SchemaVersion,
    TraceId,
}

impl Field {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "event_type" => Some(Self::EventType),
            "event_timestamp" => Some(Self::EventTimestamp),
            "event_id" => Some(Self::EventId),
            "schema_version" => Some(Self::SchemaVersion),
            "trace_id" => Some(Self::TraceId),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::EventType => "event_type",
            Self::EventTimestamp => "event_timestamp",
            Self::EventId => "event_id",
            Self::SchemaVersion => "schema_version",
            Self::TraceId => "trace_id",
        }
    }

    const fn is_head(self) -> bool {
        matches!(self, Self::EventType | Self::SchemaVersion)
    }
}

/// The fields of an object less the envelope's, by the names of the contract. The envelope's go into
/// `envelope` as they come by: so one pass reads both, and the event's own type can stay plain serde.
pub(super) struct OwnFields<'e, 'de, M> {
    pub(super) map: M,
    pub(super) adapter: Option<&'e Adapter>,
    pub(super) extent: Extent,
    pub(super) envelope: &'e mut Envelope<'de>,
}

impl<'de, M: MapAccess<'de>> OwnFields<'_, 'de, M> {
    fn take(&mut self, field: Field) -> Result<(), M::Error> {
        let bit = 1 << field as u8;
        if self.envelope.seen & bit != 0 {
            return Err(de::Error::duplicate_field(field.name()));
        }
        self.envelope.seen |= bit;
        if self.extent == Extent::Head && !field.is_head() {
            return self.map.next_value::<IgnoredAny>().map(|_| ());
        }
        match field {
            Field::EventType => self.envelope.event_type = Some(self.map.next_value()?),
            Field::EventTimestamp => self.envelope.event_timestamp = Some(self.map.next_value()?),
            Field::EventId => self.envelope.event_id = self.map.next_value()?,
            Field::SchemaVersion => self.envelope.schema_version = self.map.next_value()?,
            Field::TraceId => self.envelope.trace_id = self.map.next_value()?,
        }
        Ok(())
    }
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for OwnFields<'_, 'de, M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, M::Error> {
        while let Some(key) = self.map.next_key_seed(Key)? {
            let name = self
                .adapter
                .map_or(key.as_ref(), |adapter| adapter.canonical(&key));
            match Field::parse(name) {
                Some(field) => self.take(field)?,
                None => return seed.deserialize(name.into_deserializer()).map(Some),
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, M::Error> {
        self.map.next_value_seed(seed)
    }
}

/// Reads a field's name, borrowed unless it has escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
