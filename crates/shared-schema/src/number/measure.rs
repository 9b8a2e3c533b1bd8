//! Measures with their units and limits.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

use crate::Fault;

trait Measure: Sized {
    const RANGE: &'static str;
    fn from_f64(value: f64) -> Option<Self>;
}

struct MeasureVisitor<T>(PhantomData<T>);

impl<T: Measure> Visitor<'_> for MeasureVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<T, E> {
        T::from_f64(value).ok_or_else(|| Fault::range(T::RANGE).into_serde())
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "what is beyond 2^53 is beyond every limit"
    )]
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<T, E> {
        self.visit_f64(value as f64)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "what is beyond 2^53 is beyond every limit"
    )]
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<T, E> {
        self.visit_f64(value as f64)
    }
}

macro_rules! measure {
    ($(#[$doc:meta])* $name:ident, |$value:ident| $valid:expr, $range:literal, $schema:tt) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
        pub struct $name(f64);

        impl $name {
            /// Checks the limits.
            ///
            /// # Errors
            /// When the value is outside them or not a number.
            pub fn new(value: f64) -> Result<Self, Fault> {
                Self::from_f64(value).ok_or(Fault::range($range))
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl Measure for $name {
            const RANGE: &'static str = $range;
            fn from_f64($value: f64) -> Option<Self> {
                // Adding zero turns −0 into 0, so that equal values have equal bytes.
                ($valid).then_some(Self($value + 0.0))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_f64(MeasureVisitor(PhantomData))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_f64(self.0)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

measure!(
    /// WGS-84 latitude in degrees, −90 to 90.
    Latitude, |value| (-90.0..=90.0).contains(&value), "expected -90 to 90",
    {"type": "number", "minimum": -90, "maximum": 90}
);
measure!(
    /// WGS-84 longitude in degrees, −180 to 180.
    Longitude, |value| (-180.0..=180.0).contains(&value), "expected -180 to 180",
    {"type": "number", "minimum": -180, "maximum": 180}
);
measure!(
    /// A distance in kilometres, 0 to 100,000.
    Kilometres, |value| (0.0..=100_000.0).contains(&value), "expected 0 to 100000",
    {"type": "number", "minimum": 0, "maximum": 100_000}
);
measure!(
    /// A speed in kilometres per hour, not negative.
    KilometresPerHour, |value| value >= 0.0 && value.is_finite(), "expected 0 or more",
    {"type": "number", "minimum": 0}
);
measure!(
    /// A direction in degrees clockwise from north, 0 included, 360 not.
    Bearing, |value| (0.0..360.0).contains(&value), "expected 0 to less than 360",
    {"type": "number", "minimum": 0, "exclusiveMaximum": 360}
);
measure!(
    /// A radius in metres, not negative.
    Metres, |value| value >= 0.0 && value.is_finite(), "expected 0 or more",
    {"type": "number", "minimum": 0}
);

impl Kilometres {
    /// The distance in whole metres, half away from zero: whole numbers add up to the same total in
    /// whatever order they are added, floats do not.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 100,000 km is 0 to 100,000,000 m"
    )]
    #[must_use]
    pub fn metres(self) -> u32 {
        (self.0 * 1000.0).round() as u32
    }
}
