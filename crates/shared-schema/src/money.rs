//! Money in whole kobo. No float comes near it: amounts are read from their text.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::{Fault, ReasonCode};

/// One billion units in kobo. Ten million amounts of this size still fit the Decimal(18,2) of the tables.
const MAX_KOBO: i64 = 100_000_000_000;
const RANGE: &str = "expected 0.00 to 1000000000.00";
const FORM: &str = "expected a decimal string with at most two decimals";
const INEXACT: &str = "expected a number that is exact at two decimals";

/// An amount in hundredths of its currency's unit (kobo of the naira), 0 to 100,000,000,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Money(i64);

impl Money {
    /// Checks the limits.
    ///
    /// # Errors
    /// When the amount is negative or over a billion units.
    pub fn from_kobo(kobo: i64) -> Result<Self, Fault> {
        if (0..=MAX_KOBO).contains(&kobo) {
            Ok(Self(kobo))
        } else {
            Err(Fault::range(RANGE))
        }
    }

    /// The amount in hundredths of the unit.
    #[must_use]
    pub const fn kobo(self) -> i64 {
        self.0
    }

    /// Reads a decimal string such as `3000`, `3000.5` or `3000.50`.
    ///
    /// # Errors
    /// `out_of_range` when it is negative or too large, `pattern_mismatch` when it is anything else.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let (negative, magnitude) = split_sign(text);
        let (whole, fraction) = match magnitude.split_once('.') {
            Some((_, "")) => return Err(Fault::pattern(FORM)),
            Some(parts) => parts,
            None => (magnitude, ""),
        };
        if whole.is_empty() || fraction.len() > 2 || !all_digits(whole) || !all_digits(fraction) {
            return Err(Fault::pattern(FORM));
        }
        scale(negative, whole, fraction, 0)
    }

    /// Reads the text of a JSON number.
    fn parse_number(text: &str) -> Result<Self, Fault> {
        let (negative, magnitude) = split_sign(text);
        let (mantissa, exponent) = match magnitude.split_once(['e', 'E']) {
            // An exponent that does not fit 64 bits is out of any range, or of a zero.
            Some((mantissa, exponent)) => (mantissa, saturating_exponent(exponent)),
            None => (magnitude, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        scale(negative, whole, fraction, exponent)
    }

    /// Reads the JSON text of a string or of a number.
    fn parse_json<E: de::Error>(raw: &str) -> Result<Self, E> {
        let parsed = match raw.as_bytes() {
            [b'"', .., b'"'] if !raw.contains('\\') => Self::parse(raw.trim_matches('"')),
            [b'"', ..] => {
                let text: String = serde_json::from_str(raw).map_err(|_| {
                    Fault::new(ReasonCode::InvalidJson, "invalid escape").into_serde::<E>()
                })?;
                Self::parse(&text)
            }
            [b'-' | b'0'..=b'9', ..] => Self::parse_number(raw),
            _ => Err(Fault::new(
                ReasonCode::WrongType,
                "expected a decimal string or a number",
            )),
        };
        parsed.map_err(Fault::into_serde)
    }
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(magnitude) => (true, magnitude),
        None => (false, text),
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn saturating_exponent(text: &str) -> i64 {
    let fallback = if text.starts_with('-') {
        i64::MIN / 2
    } else {
        i64::MAX / 2
    };
    text.parse()
        .unwrap_or(fallback)
        .clamp(i64::MIN / 2, i64::MAX / 2)
}

/// `whole.fraction × 10^exponent` in kobo, exactly or not at all. Both parts are digits.
fn scale(negative: bool, whole: &str, fraction: &str, exponent: i64) -> Result<Money, Fault> {
    let digits = || whole.bytes().chain(fraction.bytes());
    let length = whole.len() + fraction.len();
    let zeros = digits().rev().take_while(|digit| *digit == b'0').count();
    if zeros == length {
        return Ok(Money(0));
    }
    if negative {
        return Err(Fault::range(RANGE));
    }
    // How many zeros stand behind the last significant digit once the unit is a kobo.
    let zeros_behind = signed(zeros) + exponent + 2 - signed(fraction.len());
    if zeros_behind < 0 {
        return Err(Fault::pattern(INEXACT));
    }
    let significant = digits()
        .take(length - zeros)
        .try_fold(0_i64, |value, digit| {
            value.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
        });
    let power = u32::try_from(zeros_behind)
        .ok()
        .and_then(|zeros| 10_i64.checked_pow(zeros));
    match significant
        .zip(power)
        .and_then(|(value, power)| value.checked_mul(power))
    {
        Some(kobo) => Money::from_kobo(kobo),
        None => Err(Fault::range(RANGE)),
    }
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX / 2)
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse_json(<&RawValue>::deserialize(deserializer)?.get())
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An amount, at most 1000000000.00; a number only if exact at two decimals.",
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,2})?$"},
                {"type": "number", "minimum": 0, "maximum": 1_000_000_000}
            ]
        })
    }
}
