//! `/metrics/payments`
//!
//! A refund names no method. Settling finds it out together with the region, so that the refunds of a method are
//! counted over settled rows; what no settled row holds stands under the method `unknown`.
//!
#![doc = include_str!("../../definitions/payments.md")]

mod refunds;
mod statement;
mod unknown_times;

use std::collections::BTreeMap;

use clickhouse::Row;
use futures::try_join;
use serde::{Deserialize, Serialize};
use shared_schema::EventType;
use utoipa::ToSchema;

pub use self::refunds::unsettled_facts;
pub(crate) use self::refunds::without_method;
use self::{
    refunds::{RefundRow, refunds_by_method},
    statement::query,
    unknown_times::{TimesRow, unknown_times},
};
use crate::{
    ask::Ask,
    cells::{Cells, Counted, Only, Part, counted},
    count,
    number::{Amount, Hundredths, NAIRA},
    query::Parameters,
    selection::Selection,
    series::{self, OfUnit, Point},
};

/// Payments, in total and by method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Payments {
    /// The whole range.
    #[serde(flatten)]
    pub totals: PaymentTotals,
    /// What opens its counts, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cells: Option<Cells>,
    /// By method, in the order of their names.
    pub by_method: Vec<MethodTotals>,
    /// One point per calendar unit, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub time_series: Option<Vec<Point<PaymentTotals>>>,
}

/// The payments of one method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MethodTotals {
    /// `card`, `bank_transfer`, `ussd`, `wallet`, `cash`; `unknown` for refunds of payments that are not known (yet).
    #[schema(example = "card")]
    pub method: String,
    /// Its payments.
    #[serde(flatten)]
    pub totals: PaymentTotals,
    /// What opens its counts, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cells: Option<Cells>,
}

/// Payments of a stretch of time, each event counted at its own time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct PaymentTotals {
    /// `payment.initiated` events.
    pub payments_initiated: u64,
    /// `payment.success` events.
    pub payments_success: u64,
    /// `payment.failed` events.
    pub payments_failed: u64,
    /// `payment.refunded` events.
    pub payments_refunded: u64,
    /// Successes over successes and failures, in percent.
    #[schema(required)]
    pub success_rate: Option<Hundredths>,
    /// Mean processing time of the successes.
    #[schema(required)]
    pub avg_processing_time_ms: Option<Hundredths>,
    /// Median processing time of the successes, interpolated linearly.
    #[schema(required)]
    pub p50_processing_time_ms: Option<Hundredths>,
    /// 95th percentile of the processing times of the successes, interpolated linearly.
    #[schema(required)]
    pub p95_processing_time_ms: Option<Hundredths>,
    /// Successful payments in NGN, before refunds.
    pub total_revenue: Amount,
    /// Refunds in NGN.
    pub total_refunded: Amount,
    /// The money in other currencies, by ISO 4217 code. It is never converted or summed.
    pub other_currencies: BTreeMap<String, MoneyTotals>,
}

/// What came in and what went back, in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct MoneyTotals {
    /// Successful payments, before refunds.
    pub total_revenue: Amount,
    /// Refunds.
    pub total_refunded: Amount,
}

/// A row of the answer: the whole range, a method, or a unit of the series.
#[derive(Clone, Debug, Default, Row, Deserialize)]
struct PaymentRow {
    unit: u64,
    /// 1 where the row is that of a method.
    of_method: u8,
    method: String,
    initiated: i64,
    succeeded: i64,
    failed: i64,
    refunded: i64,
    processing_ms: i64,
    processing_count: i64,
    /// The median and the 95th percentile.
    processing_times: Vec<f64>,
    revenue: Vec<(String, i128)>,
    refunds: Vec<(String, i128)>,
}

const UNKNOWN_METHOD: &str = "unknown";

/// Asks for the metrics.
///
/// # Errors
/// When a statement is not answered.
pub async fn ask<A: Ask>(store: &A, selection: &Selection) -> Result<Payments, A::Error> {
    // Before the totals: what is settled by now is among them.
    let refunds = refunds_by_method(selection);
    let refunds = store.rows("payments: refunds", &refunds).await?;
    let (totals, times) = (query(selection), unknown_times(selection));
    let (rows, times) = try_join!(
        store.rows("payments", &totals),
        store.rows_if("payments: times", times.as_ref()),
    )?;
    Ok(assemble(selection, rows, refunds, times))
}

/// The metrics that the rows tell. `times` replaces the percentiles where the region is the unknown one.
fn assemble(
    selection: &Selection,
    mut rows: Vec<PaymentRow>,
    refunds: Vec<RefundRow>,
    times: Option<Vec<TimesRow>>,
) -> Payments {
    if let Some(times) = times {
        unknown_times::replace(&mut rows, times);
    }
    let (methods, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.of_method == 1);
    let (totals, time_series) =
        series::totals(selection, PaymentTotals::COUNTED, others, PaymentTotals::of);
    Payments {
        by_method: by_method(selection, &totals, &methods, refunds),
        totals,
        cells: selection.cells(PaymentTotals::COUNTED, &selection.whole()),
        time_series,
    }
}

/// The methods with everything but refunds from their own rows, refunds from the settled ones.
fn by_method(
    selection: &Selection,
    whole: &PaymentTotals,
    rows: &[PaymentRow],
    refunds: Vec<RefundRow>,
) -> Vec<MethodTotals> {
    let mut methods = BTreeMap::<String, PaymentTotals>::new();
    for row in rows.iter().filter(|row| !row.method.is_empty()) {
        methods.insert(row.method.clone(), PaymentTotals::of(row).without_refunds());
    }
    let mut unassigned = whole.clone();
    for refund in refunds
        .into_iter()
        .filter(|refund| !refund.method.is_empty())
    {
        unassigned.take_refunds(&refund);
        methods
            .entry(refund.method.clone())
            .or_default()
            .add_refunds(&refund);
    }
    if unassigned.payments_refunded > 0 {
        methods.insert(UNKNOWN_METHOD.to_owned(), unassigned.only_refunds());
    }
    let busy = methods
        .into_iter()
        .filter(|(_, totals)| *totals != PaymentTotals::default());
    let rows = busy.map(|(method, totals)| {
        let part = Part {
            only: Some(Only::Method(method.clone())),
            ..selection.whole()
        };
        let cells = selection.cells(PaymentTotals::COUNTED, &part);
        MethodTotals {
            method,
            totals,
            cells,
        }
    });
    rows.collect()
}

/// The condition on a settled event of a type that it counts under a method: a refund under that which settling found.
pub(crate) fn of_method(
    event_type: EventType,
    method: &str,
    parameters: &mut Parameters,
) -> String {
    match (event_type, method) {
        (EventType::PaymentRefunded, UNKNOWN_METHOD) => "settled_method = ''".to_owned(),
        (EventType::PaymentRefunded, _) => {
            format!("settled_method = {}", parameters.text("method", method))
        }
        _ => format!("payment_method = {}", parameters.text("method", method)),
    }
}

impl OfUnit for PaymentRow {
    fn unit(&self) -> u64 {
        self.unit
    }
}

impl PaymentTotals {
    /// What can be opened of them.
    pub(crate) const COUNTED: &'static [Counted] = &[
        counted("payments_initiated", EventType::PaymentInitiated),
        counted("payments_success", EventType::PaymentSuccess),
        counted("payments_failed", EventType::PaymentFailed),
        counted("payments_refunded", EventType::PaymentRefunded),
    ];

    fn of(row: &PaymentRow) -> Self {
        let (success, failed) = (count(row.succeeded), count(row.failed));
        let timed = count(row.processing_count);
        let percentile = |place: usize| {
            let value = row
                .processing_times
                .get(place)
                .copied()
                .filter(|_| timed > 0);
            value.and_then(Hundredths::of_interpolated)
        };
        let mut totals = Self {
            payments_initiated: count(row.initiated),
            payments_success: success,
            payments_failed: failed,
            payments_refunded: count(row.refunded),
            success_rate: Hundredths::percent(success, success.saturating_add(failed)),
            avg_processing_time_ms: Hundredths::mean(count(row.processing_ms), 1, timed),
            p50_processing_time_ms: percentile(0),
            p95_processing_time_ms: percentile(1),
            ..Self::default()
        };
        for (currency, amount) in &row.revenue {
            totals.with_money(currency, |money| {
                money.total_revenue = Amount::of_hundredths(*amount)
            });
        }
        for (currency, amount) in &row.refunds {
            totals.with_money(currency, |money| {
                money.total_refunded = Amount::of_hundredths(*amount)
            });
        }
        totals
    }

    /// Changes the money of a currency.
    fn with_money(&mut self, currency: &str, change: impl FnOnce(&mut MoneyTotals)) {
        if currency != NAIRA {
            return change(
                self.other_currencies
                    .entry(currency.to_owned())
                    .or_default(),
            );
        }
        let mut naira = MoneyTotals {
            total_revenue: self.total_revenue,
            total_refunded: self.total_refunded,
        };
        change(&mut naira);
        (self.total_revenue, self.total_refunded) = (naira.total_revenue, naira.total_refunded);
    }

    fn without_refunds(mut self) -> Self {
        self.payments_refunded = 0;
        self.total_refunded = Amount::default();
        for money in self.other_currencies.values_mut() {
            money.total_refunded = Amount::default();
        }
        self.other_currencies
            .retain(|_, money| *money != MoneyTotals::default());
        self
    }

    fn only_refunds(self) -> Self {
        let other = self.other_currencies.into_iter();
        let refunds = other.map(|(currency, money)| {
            (
                currency,
                MoneyTotals {
                    total_revenue: Amount::default(),
                    ..money
                },
            )
        });
        Self {
            payments_refunded: self.payments_refunded,
            total_refunded: self.total_refunded,
            other_currencies: refunds
                .filter(|(_, money)| *money != MoneyTotals::default())
                .collect(),
            ..Self::default()
        }
    }

    fn add_refunds(&mut self, refund: &RefundRow) {
        self.payments_refunded = self
            .payments_refunded
            .saturating_add(count(refund.refunded));
        self.change_refunded(refund, i128::saturating_add);
    }

    fn take_refunds(&mut self, refund: &RefundRow) {
        self.payments_refunded = self
            .payments_refunded
            .saturating_sub(count(refund.refunded));
        self.change_refunded(refund, i128::saturating_sub);
    }

    fn change_refunded(&mut self, refund: &RefundRow, change: impl Fn(i128, i128) -> i128) {
        self.with_money(&refund.currency, |money| {
            let changed = change(money.total_refunded.hundredths(), refund.refunds);
            money.total_refunded = Amount::of_hundredths(changed);
        });
    }
}

#[cfg(test)]
mod tests;
