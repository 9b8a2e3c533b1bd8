//! Text of a certain form, and text with a default.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde::de::{Deserialize, Deserializer};

use super::Text;
use crate::Fault;

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
