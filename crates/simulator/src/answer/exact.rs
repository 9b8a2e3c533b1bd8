//! Numbers that are exact until they are written down: integers, and quotients of integers rounded once.

use serde::{Serialize, Serializer};

/// Hundredths of something (percent, minutes, km, ms), written as a JSON number with at most two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Hundredths(pub i64);

impl Serialize for Hundredths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "below 2^53 hundredths the nearest double prints as these two decimals"
        )]
        serializer.serialize_f64(self.0 as f64 / 100.0)
    }
}

/// Hundredths of a currency (kobo, cents), written as a JSON string with two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Amount(pub i64);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sign = if self.0 < 0 { "-" } else { "" };
        let size = self.0.unsigned_abs();
        serializer.collect_str(&format_args!("{sign}{}.{:02}", size / 100, size % 100))
    }
}

/// `numerator / denominator` to the nearest integer, half away from zero; `None` over nothing.
pub(super) fn quotient(numerator: i128, denominator: i128) -> Option<i64> {
    if denominator <= 0 {
        return None;
    }
    let doubled = numerator * 2 + denominator * numerator.signum();
    i64::try_from(doubled / (denominator * 2)).ok()
}

/// The share of `part` in `whole` in percent with two decimals.
pub(super) fn percent(part: u64, whole: u64) -> Option<Hundredths> {
    quotient(i128::from(part) * 10_000, i128::from(whole)).map(Hundredths)
}

/// The mean of whole units that sum to `sum`, with two decimals.
pub(super) fn mean_of_units(sum: i128, count: u64) -> Option<Hundredths> {
    quotient(sum * 100, i128::from(count)).map(Hundredths)
}

/// The mean of hundredths that sum to `sum`, with two decimals.
pub(super) fn mean_of_hundredths(sum: i128, count: u64) -> Option<i64> {
    quotient(sum, i128::from(count))
}

/// A hundred times the `level` (in percent) quantile of `sorted` values, interpolated linearly between the
/// order statistics around `(n − 1) · level / 100`. It is exact: levels in percent never need a third decimal.
pub(super) fn percentile_hundredfold(sorted: &[i64], level: u8) -> Option<i128> {
    let last = sorted.len().checked_sub(1)?;
    let position = last * usize::from(level);
    let (below, fraction) = (position / 100, position % 100);
    let low = i128::from(*sorted.get(below)?);
    let high = i128::from(*sorted.get(below + 1).unwrap_or(sorted.get(below)?));
    Some(low * 100 + (high - low) * i128::try_from(fraction).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quotients_round_half_away_from_zero() {
        assert_eq!(quotient(5, 2), Some(3));
        assert_eq!(quotient(-5, 2), Some(-3));
        assert_eq!(quotient(7, 3), Some(2));
        assert_eq!(quotient(8, 3), Some(3));
        assert_eq!(quotient(0, 3), Some(0));
        assert_eq!(quotient(1, 0), None);
    }

    #[test]
    fn percentages_have_two_decimals_and_may_exceed_a_hundred() {
        let written = |part, whole| serde_json::to_value(percent(part, whole)).unwrap();
        assert_eq!(written(1, 3), json!(33.33));
        assert_eq!(written(2, 3), json!(66.67));
        assert_eq!(written(1, 800), json!(0.13));
        assert_eq!(written(3, 2), json!(150.0));
        assert_eq!(written(0, 4), json!(0.0));
        assert_eq!(written(4, 0), json!(null));
    }

    #[test]
    fn amounts_are_strings_with_two_decimals() {
        let written = |kobo| serde_json::to_value(Amount(kobo)).unwrap();
        assert_eq!(written(300_000), json!("3000.00"));
        assert_eq!(written(7), json!("0.07"));
        assert_eq!(written(-105), json!("-1.05"));
        assert_eq!(written(0), json!("0.00"));
    }

    #[test]
    fn percentiles_interpolate_between_order_statistics() {
        assert_eq!(percentile_hundredfold(&[], 50), None);
        assert_eq!(percentile_hundredfold(&[7], 95), Some(700));
        assert_eq!(percentile_hundredfold(&[10, 20], 50), Some(1_500));
        assert_eq!(percentile_hundredfold(&[10, 20], 95), Some(1_950));
        assert_eq!(percentile_hundredfold(&[0, 100, 200, 300], 25), Some(7_500));
        assert_eq!(percentile_hundredfold(&[1, 2, 3, 4, 5], 50), Some(300));
        assert_eq!(percentile_hundredfold(&[1, 2, 3, 4, 5], 100), Some(500));
    }
}
