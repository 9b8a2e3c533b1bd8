//! Instants, times of day and days of the week.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::choice::Weekday;
use crate::text::{ParseText, text_value};
use crate::{Fault, ReasonCode};

/// 2000-01-01T00:00:00Z in milliseconds.
const EARLIEST_MS: i64 = 946_684_800_000;
/// 2200-01-01T00:00:00Z in milliseconds.
const END_MS: i64 = 7_258_118_400_000;

/// An instant from 2000 up to 2200, in milliseconds since 1970-01-01T00:00:00Z.
///
/// Written as RFC 3339 with an offset. Finer parts than milliseconds are cut off, a leap second is the
/// second after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Checks the limits of an instant given in milliseconds since 1970.
    ///
    /// # Errors
    /// When it lies before 2000 or after 2199.
    pub fn from_ms(ms: i64) -> Result<Self, Fault> {
        if (EARLIEST_MS..END_MS).contains(&ms) {
            Ok(Self(ms))
        } else {
            Err(Fault::range("expected a time from 2000 up to 2200"))
        }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = DateTime::<Utc>::from_timestamp_millis(self.0).unwrap_or_default();
        f.write_str(&instant.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl ParseText for Timestamp {
    const EXPECTED: &'static str = "an RFC 3339 string";

    fn parse_text(text: &str) -> Result<Self, Fault> {
        match DateTime::parse_from_rfc3339(text) {
            Ok(instant) => Self::from_ms(instant.timestamp_millis()),
            Err(_) if is_naive(text) => Err(Fault::new(
                ReasonCode::NaiveTimestamp,
                "expected an offset, like Z or +01:00",
            )),
            Err(_) => Err(Fault::pattern(
                "expected RFC 3339, like 2026-01-31T08:00:00.000+01:00",
            )),
        }
    }
}

text_value!(Timestamp, "Timestamp", {"type": "string", "format": "date-time"});

/// Would it be a time if only it had an offset?
fn is_naive(text: &str) -> bool {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").is_ok()
        || NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").is_ok()
        || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").is_ok()
        || NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// A local time of day, `HH:MM:SS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalTime(u32);

impl LocalTime {
    /// Seconds since local midnight, 0 to 86,399.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:02}:{:02}:{:02}",
            self.0 / 3600,
            self.0 / 60 % 60,
            self.0 % 60
        )
    }
}

impl ParseText for LocalTime {
    const EXPECTED: &'static str = "an HH:MM:SS string";

    fn parse_text(text: &str) -> Result<Self, Fault> {
        let &[h1, h0, b':', m1, m0, b':', s1, s0] = text.as_bytes() else {
            return Err(Fault::pattern("expected HH:MM:SS"));
        };
        let (hours, minutes, seconds) = (
            two_digits(h1, h0)?,
            two_digits(m1, m0)?,
            two_digits(s1, s0)?,
        );
        if hours < 24 && minutes < 60 && seconds < 60 {
            Ok(Self(hours * 3600 + minutes * 60 + seconds))
        } else {
            Err(Fault::range("expected 00:00:00 to 23:59:59"))
        }
    }
}

text_value!(LocalTime, "LocalTime", {
    "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"
});

fn two_digits(tens: u8, ones: u8) -> Result<u32, Fault> {
    if tens.is_ascii_digit() && ones.is_ascii_digit() {
        Ok(u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
    } else {
        Err(Fault::pattern("expected HH:MM:SS"))
    }
}

/// The days of the week on which a route runs: a set, so order and repetition do not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ActiveDays(u8);

impl ActiveDays {
    /// The days, Monday first.
    pub fn iter(self) -> impl Iterator<Item = Weekday> {
        Weekday::ALL
            .iter()
            .copied()
            .filter(move |day| self.0 & bit(*day) != 0)
    }

    /// One bit per day, Monday the lowest.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }
}

const fn bit(day: Weekday) -> u8 {
    1 << day as u8
}

impl FromIterator<Weekday> for ActiveDays {
    fn from_iter<I: IntoIterator<Item = Weekday>>(days: I) -> Self {
        Self(days.into_iter().fold(0, |bits, day| bits | bit(day)))
    }
}

impl<'de> Deserialize<'de> for ActiveDays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DaysVisitor;
        impl<'de> Visitor<'de> for DaysVisitor {
            type Value = ActiveDays;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of days MON to SUN")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut days: A) -> Result<ActiveDays, A::Error> {
                let mut bits = 0;
                while let Some(day) = days.next_element()? {
                    bits |= bit(day);
                }
                Ok(ActiveDays(bits))
            }
        }
        deserializer.deserialize_seq(DaysVisitor)
    }
}

impl Serialize for ActiveDays {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl JsonSchema for ActiveDays {
    fn schema_name() -> Cow<'static, str> {
        "ActiveDays".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let day = generator.subschema_for::<Weekday>();
        json_schema!({"type": "array", "items": day})
    }
}

/// Reads a field for which absent, `null` and the default are one.
pub(crate) fn null_as_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
