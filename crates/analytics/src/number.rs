//! Numbers that are exact until they are written: integers, and quotients of integers rounded once.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema,
        schema::{AnyOfBuilder, SchemaType, Type},
    },
};

/// Hundredths of something (percent, minutes, kilometres, milliseconds): a JSON number with two decimals at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hundredths(i128);

/// Money in hundredths of its currency's unit: a JSON string with two decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Amount(i128);

/// The currency whose sums stand by themselves.
pub(crate) const NAIRA: &str = "NGN";

/// Whole metres: a JSON number of kilometres.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Metres(u64);

/// The integer nearest to a quotient, half away from zero; nothing over nothing.
pub(crate) fn quotient(numerator: i128, denominator: i128) -> Option<i128> {
    if denominator <= 0 {
        return None;
    }
    let half = denominator.checked_mul(numerator.signum())?;
    let doubled = numerator.checked_mul(2)?.checked_add(half)?;
    Some(doubled / denominator.checked_mul(2)?)
}

impl Hundredths {
    /// The share of a part in a whole, in percent.
    #[must_use]
    pub fn percent(part: u64, whole: u64) -> Option<Self> {
        quotient(i128::from(part) * 10_000, whole.into()).map(Self)
    }

    /// The share of a part in a whole, in percent.
    #[must_use]
    pub fn share(part: i128, whole: i128) -> Option<Self> {
        quotient(part.checked_mul(10_000)?, whole).map(Self)
    }

    /// The mean of so many things that are `sum` units together, a unit being `parts` of what was summed.
    #[must_use]
    pub fn mean(sum: u64, parts: u32, count: u64) -> Option<Self> {
        quotient(i128::from(sum) * 100, i128::from(parts) * i128::from(count)).map(Self)
    }

    /// So many thousandths, interpolated between two whole numbers of them at the middle.
    #[must_use]
    pub fn of_thousandths(value: f64) -> Option<Self> {
        let doubled = (value * 2.0).round();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "anything out of the range has been turned away"
        )]
        let doubled = (doubled.is_finite() && doubled.abs() < 1e15).then_some(doubled as i128)?;
        quotient(doubled, 20).map(Self)
    }

    /// What ClickHouse interpolated between two whole numbers at a whole percentage: it has two decimals at most,
    /// so that rounding to them only takes the error of the double away.
    #[must_use]
    pub fn of_interpolated(value: f64) -> Option<Self> {
        let scaled = (value * 100.0).round();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "processing times are 32 bits wide, and anything out of the range has been turned away"
        )]
        (scaled.is_finite() && scaled.abs() < 1e15).then_some(Self(scaled as i128))
    }

    /// How many hundredths.
    #[must_use]
    pub const fn hundredths(self) -> i128 {
        self.0
    }
}

impl Amount {
    /// So many hundredths of the unit.
    #[must_use]
    pub const fn of_hundredths(hundredths: i128) -> Self {
        Self(hundredths)
    }

    /// The amount in hundredths of the unit.
    #[must_use]
    pub const fn hundredths(self) -> i128 {
        self.0
    }

    /// This amount for each of so many.
    #[must_use]
    pub fn each(self, count: u64) -> Option<Self> {
        quotient(self.0, count.into()).map(Self)
    }

    /// The value between two neighbours, `percent` of the way from one to the other.
    #[must_use]
    pub fn between(low: Self, high: Self, percent: u8) -> Option<Self> {
        let way = high.0.checked_sub(low.0)?.checked_mul(percent.into())?;
        quotient(low.0.checked_mul(100)?.checked_add(way)?, 100).map(Self)
    }
}

impl Metres {
    /// So many metres.
    #[must_use]
    pub const fn new(metres: u64) -> Self {
        Self(metres)
    }
}

/// A count or a decimal (JSON numbers), or money (a JSON string).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Quantity {
    /// So many.
    Count(u64),
    /// So many percent, minutes, kilometres or milliseconds.
    Decimal(Hundredths),
    /// So much NGN.
    Money(Amount),
}

impl From<u64> for Quantity {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<Hundredths> for Quantity {
    fn from(decimal: Hundredths) -> Self {
        Self::Decimal(decimal)
    }
}

impl From<Amount> for Quantity {
    fn from(money: Amount) -> Self {
        Self::Money(money)
    }
}

impl Quantity {
    /// In hundredths of whatever it is.
    #[must_use]
    pub fn hundredths(self) -> i128 {
        match self {
            Self::Count(count) => i128::from(count) * 100,
            Self::Decimal(decimal) => decimal.hundredths(),
            Self::Money(money) => money.hundredths(),
        }
    }
}

/// The nearest double prints as these decimals: sums stay far below 2^53 of them.
#[expect(clippy::cast_precision_loss, reason = "below 2^53 nothing is lost")]
fn scaled<S: Serializer>(value: i128, scale: f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(value as f64 / scale)
}

impl Serialize for Hundredths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        scaled(self.0, 100.0, serializer)
    }
}

impl Serialize for Metres {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        scaled(self.0.into(), 1000.0, serializer)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sign = if self.0 < 0 { "-" } else { "" };
        let size = self.0.unsigned_abs();
        serializer.collect_str(&format_args!("{sign}{}.{:02}", size / 100, size % 100))
    }
}

fn schema(kind: Type, description: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(kind))
        .description(Some(description))
        .into()
}

impl PartialSchema for Hundredths {
    fn schema() -> RefOr<Schema> {
        schema(
            Type::Number,
            "Two decimals at most, rounded half away from zero from exact values.",
        )
    }
}

impl ToSchema for Hundredths {
    fn name() -> Cow<'static, str> {
        "Hundredths".into()
    }
}

impl PartialSchema for Amount {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .pattern(Some(r"^-?[0-9]+\.[0-9]{2}$"))
            .description(Some("Money as a decimal string with two decimals."))
            .into()
    }
}

impl ToSchema for Amount {
    fn name() -> Cow<'static, str> {
        "Amount".into()
    }
}

impl PartialSchema for Metres {
    fn schema() -> RefOr<Schema> {
        schema(Type::Number, "Kilometres, exact to the metre.")
    }
}

impl ToSchema for Metres {
    fn name() -> Cow<'static, str> {
        "Kilometres".into()
    }
}

/// Not as `oneOf`: a count is a decimal, too.
impl PartialSchema for Quantity {
    fn schema() -> RefOr<Schema> {
        AnyOfBuilder::new()
            .item(Hundredths::schema())
            .item(Amount::schema())
            .description(Some(
                "A count or a decimal (JSON numbers), or money (a JSON string).",
            ))
            .into()
    }
}

impl ToSchema for Quantity {
    fn name() -> Cow<'static, str> {
        "Quantity".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: impl Serialize) -> String {
        serde_json::to_string(&value).unwrap()
    }

    #[test]
    fn halves_go_away_from_zero() {
        for (numerator, denominator, expected) in [
            (1, 2, 1),
            (-1, 2, -1),
            (3, 2, 2),
            (149, 100, 1),
            (150, 100, 2),
            (-150, 100, -2),
            (0, 5, 0),
        ] {
            assert_eq!(
                quotient(numerator, denominator),
                Some(expected),
                "{numerator}/{denominator}"
            );
        }
    }

    #[test]
    fn over_nothing_there_is_nothing() {
        assert_eq!(Hundredths::percent(0, 0), None);
        assert_eq!(Hundredths::mean(0, 1000, 0), None);
        assert_eq!(Amount::default().each(0), None);
    }

    #[test]
    fn numbers_too_large_for_the_arithmetic_are_none() {
        assert_eq!(quotient(i128::MAX, 1), None);
        assert_eq!(Hundredths::of_interpolated(f64::NAN), None);
        assert_eq!(Hundredths::of_interpolated(f64::INFINITY), None);
    }

    #[test]
    fn rates_have_two_decimals_and_may_exceed_a_hundred() {
        assert_eq!(json(Hundredths::percent(2, 3)), "66.67");
        assert_eq!(json(Hundredths::percent(1, 8)), "12.5");
        assert_eq!(json(Hundredths::percent(1, 1600)), "0.06");
        assert_eq!(json(Hundredths::percent(7, 2)), "350.0");
    }

    #[test]
    fn money_is_a_string_with_two_decimals() {
        assert_eq!(json(Amount::of_hundredths(300_000)), "\"3000.00\"");
        assert_eq!(json(Amount::of_hundredths(5)), "\"0.05\"");
        assert_eq!(json(Amount::of_hundredths(-105)), "\"-1.05\"");
        assert_eq!(json(Amount::of_hundredths(100).each(3)), "\"0.33\"");
    }

    #[test]
    fn money_between_two_amounts_is_rounded_once() {
        let of = Amount::of_hundredths;
        assert_eq!(Amount::between(of(100), of(103), 50), Some(of(102)));
        assert_eq!(Amount::between(of(100), of(101), 10), Some(of(100)));
    }

    #[test]
    fn means_and_distances_are_in_their_units() {
        assert_eq!(json(Hundredths::mean(12_345, 1000, 2)), "6.17");
        assert_eq!(json(Metres::new(12_340)), "12.34");
        assert_eq!(
            json(Hundredths::of_interpolated(1_234.349_999_999_9)),
            "1234.35"
        );
    }
}
