//! Text in events: borrowed from the record where it has no escapes, checked where it has a form.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::Fault;

/// A value that is written as a JSON string of a certain form and does not keep that string.
pub(crate) trait ParseText: Sized {
    const EXPECTED: &'static str;
    fn parse_text(text: &str) -> Result<Self, Fault>;
}

/// Reads a [`ParseText`] value from any serde format.
pub(crate) fn deserialize_text<'de, T: ParseText, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    struct TextVisitor<T>(PhantomData<T>);
    impl<T: ParseText> Visitor<'_> for TextVisitor<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(T::EXPECTED)
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            T::parse_text(text).map_err(Fault::into_serde)
        }
    }
    deserializer.deserialize_str(TextVisitor(PhantomData))
}

/// Gives a [`ParseText`] type that is `Display` its serde forms and a JSON Schema.
macro_rules! text_value {
    ($type:ty, $name:literal, $schema:tt) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::text::deserialize_text(deserializer)
            }
        }
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}
pub(crate) use text_value;

/// Free text, borrowed from the record unless it contained escapes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A copy that outlives the record.
    #[must_use]
    pub fn into_owned(self) -> String {
        self.0.into_owned()
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(text.into())
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(text.to_owned().into())
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

impl JsonSchema for Text<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

/// A [`Text`] of a certain form.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:expr, $schema:tt) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name<'a>(Text<'a>);

        impl<'a> $name<'a> {
            /// Checks the text.
            ///
            /// # Errors
            /// When the text has not the form of the type.
            pub fn new(text: impl Into<Text<'a>>) -> Result<Self, Fault> {
                let text = text.into();
                let check: fn(&str) -> Result<(), Fault> = $check;
                check(&text).map(|()| Self(text))
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<'de: 'a, 'a> Deserialize<'de> for $name<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(Text::deserialize(deserializer)?).map_err(Fault::into_serde)
            }
        }

        impl JsonSchema for $name<'_> {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

checked_text!(
    /// A Nigerian mobile number, `^\+234[7-9][01]\d{8}$`.
    Phone, check_phone, {"type": "string", "pattern": r"^\+234[7-9][01][0-9]{8}$"}
);
checked_text!(
    /// The last four digits of a card, and never more of it.
    CardLast4, check_last4, {"type": "string", "pattern": "^[0-9]{4}$"}
);
checked_text!(
    /// Who moves the money; `interswitch` when the field is absent.
    Provider, |_| Ok(()), {"type": "string"}
);
checked_text!(
    /// A route's status before; `PAUSED` when the field is absent.
    PreviousStatus, |_| Ok(()), {"type": "string"}
);
checked_text!(
    /// A route's status after; `ACTIVE` when the field is absent.
    NewStatus, |_| Ok(()), {"type": "string"}
);

impl Default for Provider<'_> {
    fn default() -> Self {
        Self("interswitch".into())
    }
}

impl Default for PreviousStatus<'_> {
    fn default() -> Self {
        Self("PAUSED".into())
    }
}

impl Default for NewStatus<'_> {
    fn default() -> Self {
        Self("ACTIVE".into())
    }
}

fn check_phone(text: &str) -> Result<(), Fault> {
    let well_formed = match text.as_bytes() {
        [b'+', b'2', b'3', b'4', b'7'..=b'9', b'0' | b'1', rest @ ..] => {
            rest.len() == 8 && rest.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    };
    if well_formed {
        Ok(())
    } else {
        Err(Fault::pattern(
            "expected a phone number like +2348012345678",
        ))
    }
}

fn check_last4(text: &str) -> Result<(), Fault> {
    if text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err(Fault::pattern("expected the last four digits of a card"))
    }
}

/// An ISO 4217 style code, three upper-case letters; NGN when the field is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The naira, the currency of every number that names none.
    pub const NGN: Self = Self(*b"NGN");

    /// The code itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self::NGN
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ParseText for Currency {
    const EXPECTED: &'static str = "a currency code";
    fn parse_text(text: &str) -> Result<Self, Fault> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(Fault::pattern("expected three upper-case letters like NGN")),
        }
    }
}

text_value!(Currency, "Currency", {"type": "string", "pattern": "^[A-Z]{3}$"});
