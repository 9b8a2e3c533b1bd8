//! Whole numbers with their limits.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::{Fault, ReasonCode};

trait Whole: Sized {
    const RANGE: &'static str;
    fn from_u64(value: u64) -> Option<Self>;
}

struct WholeVisitor<T>(PhantomData<T>);

impl<T: Whole> Visitor<'_> for WholeVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<T, E> {
        T::from_u64(value).ok_or_else(|| Fault::range(T::RANGE).into_serde())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<T, E> {
        let whole = u64::try_from(value).ok().and_then(T::from_u64);
        whole.ok_or_else(|| Fault::range(T::RANGE).into_serde())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<T, E> {
        if value.fract() != 0.0 {
            return Err(Fault::new(ReasonCode::WrongType, "expected a whole number").into_serde());
        }
        match whole_below_2_pow_53(value).and_then(T::from_u64) {
            Some(whole) => Ok(whole),
            None => Err(Fault::range(T::RANGE).into_serde()),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole, not negative and below 2^53: the conversion is exact"
)]
fn whole_below_2_pow_53(value: f64) -> Option<u64> {
    (0.0..9_007_199_254_740_992.0)
        .contains(&value)
        .then_some(value as u64)
}

macro_rules! whole {
    ($(#[$doc:meta])* $name:ident($inner:ty), $min:literal..=$max:expr, $range:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name($inner);

        impl $name {
            /// Checks the limits.
            ///
            /// # Errors
            /// When the value is outside them.
            pub fn new(value: $inner) -> Result<Self, Fault> {
                Self::from_u64(value.into()).ok_or(Fault::range($range))
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl Whole for $name {
            const RANGE: &'static str = $range;
            fn from_u64(value: u64) -> Option<Self> {
                let value = <$inner>::try_from(value).ok()?;
                (($min)..=($max)).contains(&value).then_some(Self(value))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_u64(WholeVisitor(PhantomData))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "integer", "minimum": $min, "maximum": $max})
            }
        }
    };
}

whole!(
    /// Seats booked or offered, or passengers carried: 1 to 8.
    Seats(u8), 1..=8, "expected 1 to 8"
);
whole!(
    /// How many of something.
    #[derive(Default)]
    Count(u32), 0..=u32::MAX, "expected 0 to 4294967295"
);
whole!(
    /// A duration in whole minutes.
    Minutes(u32), 0..=u32::MAX, "expected 0 to 4294967295"
);
whole!(
    /// A duration in whole milliseconds.
    Milliseconds(u32), 0..=u32::MAX, "expected 0 to 4294967295"
);
