//! Why a record is dead-lettered.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de};

macro_rules! reason_codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)?) => {
        /// The stable codes that stand in `dead_letters` and in the headers of the dead-letter topic.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum ReasonCode { $($(#[$doc])* $variant,)+ }

        impl ReasonCode {
            /// Every code, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as it is stored and sent.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

reason_codes! {
    /// The value is not UTF-8.
    InvalidUtf8 = "invalid_utf8",
    /// The value is not one JSON text: a syntax error, nothing at all, something after the end,
    /// a byte order mark, nesting beyond 127 levels, a lone surrogate in a field that is read, or a
    /// field that is read and given twice.
    InvalidJson = "invalid_json",
    /// The value is JSON, but not an object.
    NotAnObject = "not_an_object",
    /// The value has more bytes than the setting allows (1 MiB).
    TooLarge = "too_large",
    /// A required field is absent.
    MissingField = "missing_field",
    /// A field has another JSON type than its own, a fraction where a whole number is asked, or `null`
    /// where a value is required.
    WrongType = "wrong_type",
    /// A number, an amount or a time is outside its limits.
    OutOfRange = "out_of_range",
    /// A string is not of the form asked for, or not one of a fixed set.
    PatternMismatch = "pattern_mismatch",
    /// No event type has this name.
    UnknownEventType = "unknown_event_type",
    /// The event type is known, but its events come from another topic.
    WrongTopic = "wrong_topic",
    /// A time without an offset.
    NaiveTimestamp = "naive_timestamp",
    /// The major part of `schema_version` is not 1.
    UnsupportedSchemaVersion = "unsupported_schema_version",
    /// The event is older than its table keeps events.
    TooOld = "too_old",
    /// The same `event_id` was accepted before with another payload. Decided by the ingestor, which
    /// alone knows what was accepted.
    IdReused = "id_reused",
}

impl ReasonCode {
    /// The code with this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is wrong with one value, before it is known where the value stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Fault {
    /// The reason code.
    pub reason: ReasonCode,
    /// What would have been right.
    pub detail: &'static str,
}

impl Fault {
    pub(crate) const fn new(reason: ReasonCode, detail: &'static str) -> Self {
        Self { reason, detail }
    }

    pub(crate) const fn pattern(detail: &'static str) -> Self {
        Self::new(ReasonCode::PatternMismatch, detail)
    }

    pub(crate) const fn range(detail: &'static str) -> Self {
        Self::new(ReasonCode::OutOfRange, detail)
    }

    /// Carries the fault through a serde format, whose errors are text; `decode` reads it back.
    pub(crate) fn into_serde<E: de::Error>(self) -> E {
        E::custom(self)
    }
}

/// Why a record is not accepted, and where in it the reason lies.
///
/// Neither the path nor the detail repeats a value of the record: both may be logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at {path}: {detail}")]
pub struct Rejection {
    /// The reason code.
    pub reason: ReasonCode,
    /// JSON path in the record as received, like `$.total_price`.
    pub path: String,
    /// What would have been right.
    pub detail: String,
}

impl Rejection {
    /// A rejection for a value at a JSON path.
    #[must_use]
    pub fn at(path: impl Into<String>, reason: ReasonCode, detail: impl Into<String>) -> Self {
        Self {
            reason,
            path: path.into(),
            detail: detail.into(),
        }
    }
}
