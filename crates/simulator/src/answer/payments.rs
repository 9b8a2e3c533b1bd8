//! `/metrics/payments`

use super::AnswerKey;
use super::distinct::Standing;
use super::exact::{Amount, Hundredths, mean_of_units, percent, percentile_hundredfold};
use super::numbering::place;
use super::question::Question;
use super::rows::{PaymentKind, PaymentRow};
use super::series::{Point, Series};
use serde::Serialize;
use std::collections::BTreeMap;

/// Payments, in total and by method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct PaymentMetrics {
    #[serde(flatten)]
    pub totals: PaymentTotals,
    /// Ordered by the name of the method.
    pub by_method: Vec<MethodMetrics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_series: Option<Vec<Point<PaymentTotals>>>,
}

/// The payments of one method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct MethodMetrics {
    /// `unknown` for refunds of payments that were never seen.
    pub method: &'static str,
    #[serde(flatten)]
    pub totals: PaymentTotals,
}

/// Payments by what happened to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct PaymentTotals {
    pub payments_initiated: u64,
    pub payments_success: u64,
    pub payments_failed: u64,
    pub payments_refunded: u64,
    pub success_rate: Option<Hundredths>,
    pub avg_processing_time_ms: Option<Hundredths>,
    pub p50_processing_time_ms: Option<Hundredths>,
    pub p95_processing_time_ms: Option<Hundredths>,
    #[serde(flatten)]
    pub naira: MoneyTotals,
    pub other_currencies: BTreeMap<&'static str, MoneyTotals>,
}

/// What came in and what went back, in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct MoneyTotals {
    pub total_revenue: Amount,
    pub total_refunded: Amount,
}

#[derive(Debug, Default)]
struct Tally {
    initiated: u64,
    success: u64,
    failed: u64,
    refunded: u64,
    processing_ms: Vec<i64>,
    money: BTreeMap<&'static str, MoneyTotals>,
}

impl Tally {
    fn add(&mut self, row: &PaymentRow) {
        match row.kind {
            PaymentKind::Initiated => self.initiated += 1,
            PaymentKind::Failed => self.failed += 1,
            PaymentKind::Success {
                amount,
                processing_ms,
            } => {
                self.success += 1;
                self.processing_ms.push(processing_ms.into());
                self.money.entry(row.currency).or_default().total_revenue.0 += amount;
            }
            PaymentKind::Refunded { amount } => {
                self.refunded += 1;
                self.money.entry(row.currency).or_default().total_refunded.0 += amount;
            }
        }
    }

    fn finish(mut self) -> PaymentTotals {
        self.processing_ms.sort_unstable();
        let sum = self.processing_ms.iter().copied().map(i128::from).sum();
        let percentile = |level| {
            percentile_hundredfold(&self.processing_ms, level)
                .and_then(|value| i64::try_from(value).ok())
        };
        PaymentTotals {
            payments_initiated: self.initiated,
            payments_success: self.success,
            payments_failed: self.failed,
            payments_refunded: self.refunded,
            success_rate: percent(self.success, self.success + self.failed),
            avg_processing_time_ms: mean_of_units(sum, self.success),
            p50_processing_time_ms: percentile(50).map(Hundredths),
            p95_processing_time_ms: percentile(95).map(Hundredths),
            naira: self.money.remove("NGN").unwrap_or_default(),
            other_currencies: self.money,
        }
    }
}

impl AnswerKey {
    /// The payment metrics.
    #[must_use]
    pub fn payments(&self, question: &Question) -> PaymentMetrics {
        let mut total = Tally::default();
        let mut by_method = BTreeMap::<&'static str, Tally>::new();
        let mut series = Series::<Tally>::of(question);
        let counted = self.payments.iter().filter(|row| {
            question.range.contains(row.stamp.at_ms)
                && question.region.admits(self.ride_region(row.booking))
        });
        for row in counted {
            total.add(row);
            by_method.entry(self.method_of(row)).or_default().add(row);
            if let Some(tally) = series
                .as_mut()
                .and_then(|series| series.at(row.stamp.at_ms, Standing::Inside))
            {
                tally.add(row);
            }
        }
        let by_method = by_method.into_iter().map(|(method, tally)| MethodMetrics {
            method,
            totals: tally.finish(),
        });
        PaymentMetrics {
            totals: total.finish(),
            by_method: by_method.collect(),
            time_series: series.map(|series| series.points(question, |_, tally| tally.finish())),
        }
    }

    fn method_of(&self, row: &PaymentRow) -> &'static str {
        let method = self.methods.get(place(row.payment)).copied().flatten();
        method.map_or("unknown", |method| method.as_str())
    }
}
