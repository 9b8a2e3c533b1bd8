//! `/metrics/bookings`

use super::AnswerKey;
use super::distinct::Standing;
use super::exact::{Amount, Hundredths, percent, quotient};
use super::question::Question;
use super::rows::BookingKind;
use super::series::{Point, Series};
use serde::Serialize;

/// Bookings by what happened to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct BookingMetrics {
    pub bookings_created: u64,
    pub bookings_confirmed: u64,
    pub bookings_cancelled: u64,
    pub bookings_completed: u64,
    pub conversion_rate: Option<Hundredths>,
    pub cancellation_rate: Option<Hundredths>,
    pub avg_booking_value: Option<Amount>,
    pub total_booking_value: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_series: Option<Vec<Point<BookingMetrics>>>,
}

#[derive(Debug, Default)]
struct Tally {
    created: u64,
    confirmed: u64,
    cancelled: u64,
    completed: u64,
    confirmed_kobo: i64,
}

impl Tally {
    const fn add(&mut self, kind: BookingKind) {
        match kind {
            BookingKind::Created => self.created += 1,
            BookingKind::Confirmed { price_kobo } => {
                self.confirmed += 1;
                self.confirmed_kobo += price_kobo;
            }
            BookingKind::Cancelled => self.cancelled += 1,
            BookingKind::Completed => self.completed += 1,
        }
    }

    fn finish(&self, time_series: Option<Vec<Point<BookingMetrics>>>) -> BookingMetrics {
        BookingMetrics {
            bookings_created: self.created,
            bookings_confirmed: self.confirmed,
            bookings_cancelled: self.cancelled,
            bookings_completed: self.completed,
            conversion_rate: percent(self.confirmed, self.created),
            cancellation_rate: percent(self.cancelled, self.created),
            avg_booking_value: quotient(self.confirmed_kobo.into(), self.confirmed.into())
                .map(Amount),
            total_booking_value: Amount(self.confirmed_kobo),
            time_series,
        }
    }
}

impl AnswerKey {
    /// The booking metrics.
    #[must_use]
    pub fn bookings(&self, question: &Question) -> BookingMetrics {
        let mut total = Tally::default();
        let mut series = Series::<Tally>::of(question);
        let counted = self.bookings.iter().filter(|row| {
            question.range.contains(row.stamp.at_ms)
                && question.region.admits(self.ride_region(row.booking))
        });
        for row in counted {
            total.add(row.kind);
            if let Some(tally) = series
                .as_mut()
                .and_then(|series| series.at(row.stamp.at_ms, Standing::Inside))
            {
                tally.add(row.kind);
            }
        }
        total.finish(series.map(|series| series.points(question, |_, tally| tally.finish(None))))
    }
}
