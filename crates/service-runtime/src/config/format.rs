use serde_json::{Map, Value};

use super::{ByteSize, HumanDuration};

/// What a text of a setting means, by the `format` of its JSON schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Plain,
    ByteSize,
    Duration,
    Url,
    Secret,
}

impl Format {
    pub(super) fn of(schema: &Map<String, Value>) -> Self {
        match schema.get("format").and_then(Value::as_str) {
            Some("byte-size") => Self::ByteSize,
            Some("human-duration") => Self::Duration,
            Some("uri") => Self::Url,
            Some("password") => Self::Secret,
            _ => Self::Plain,
        }
    }

    pub(super) fn fits(self, value: &Value, min_length: u64) -> bool {
        match (self, value) {
            (Self::ByteSize, Value::Number(number)) => number.is_u64(),
            (Self::ByteSize, Value::String(text)) => text.parse::<ByteSize>().is_ok(),
            (Self::Duration, Value::String(text)) => text.parse::<HumanDuration>().is_ok(),
            (Self::Url, Value::String(text)) => url::Url::parse(text).is_ok(),
            (Self::Plain | Self::Secret, Value::String(text)) => {
                u64::try_from(text.chars().count()).is_ok_and(|length| length >= min_length)
            }
            _ => false,
        }
    }

    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Plain => "a text",
            Self::ByteSize => "a size in bytes such as 4096, 512 KiB or 16 MiB",
            Self::Duration => "a duration such as 250ms, 30s or 1h 30m",
            Self::Url => "a URL",
            Self::Secret => "a secret text",
        }
    }
}
