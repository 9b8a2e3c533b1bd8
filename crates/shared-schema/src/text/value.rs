//! Values that are written as a string of a certain form and do not keep that string.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserializer, Visitor};

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
