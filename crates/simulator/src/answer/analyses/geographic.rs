//! `/analytics/geographic`

use super::super::AnswerKey;
use super::super::exact::{Amount, Hundredths, quotient};
use super::super::question::Question;
use super::super::rows::{BookingKind, Number, PaymentKind};
use serde::Serialize;
use shared_schema::Region;
use std::collections::{BTreeMap, HashMap};

const QUARTER_MS: i64 = 15 * 60 * 1000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What is spread over the regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// `booking.created` events.
    Bookings,
    /// Successful payments in NGN.
    Revenue,
    /// Distinct active users.
    Users,
}

/// A count or money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Quantity {
    /// So many.
    Count(i64),
    /// So much.
    Money(Amount),
}

/// How something is spread over the regions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GeographicMetrics {
    /// The largest first, ties by name.
    pub data_points: Vec<Place>,
    /// All of them.
    pub total_value: Quantity,
}

/// A region that has any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct Place {
    pub state: &'static str,
    pub city: &'static str,
    pub value: Quantity,
    pub share: Option<Hundredths>,
}

impl AnswerKey {
    /// How a measure is spread over the question's regions.
    #[must_use]
    pub fn geographic(&self, question: &Question, measure: Measure) -> GeographicMetrics {
        let mut sums = BTreeMap::<(&str, &str), i64>::new();
        let mut add = |region: Region, value: i64| {
            if question.region.admits(region) {
                *sums.entry((region.state, region.city)).or_default() += value;
            }
        };
        match measure {
            Measure::Bookings => {
                for row in &self.bookings {
                    if matches!(row.kind, BookingKind::Created)
                        && question.range.contains(row.stamp.at_ms)
                    {
                        add(self.ride_region(row.booking), 1);
                    }
                }
            }
            Measure::Revenue => {
                for row in &self.payments {
                    if let PaymentKind::Success { amount, .. } = row.kind
                        && row.currency == "NGN"
                        && question.range.contains(row.stamp.at_ms)
                    {
                        add(self.ride_region(row.booking), amount);
                    }
                }
            }
            Measure::Users => {
                for region in self.last_regions(question).into_values() {
                    add(region, 1);
                }
            }
        }
        let total: i64 = sums.values().sum();
        let quantity = |value| match measure {
            Measure::Revenue => Quantity::Money(Amount(value)),
            _ => Quantity::Count(value),
        };
        let places = sums.into_iter().filter(|(_, value)| *value > 0);
        let mut data_points: Vec<Place> = places
            .map(|((state, city), value)| Place {
                state,
                city,
                value: quantity(value),
                share: quotient(i128::from(value) * 10_000, i128::from(total)).map(Hundredths),
            })
            .collect();
        data_points.sort_by_key(|point| std::cmp::Reverse(point.value));
        GeographicMetrics {
            data_points,
            total_value: quantity(total),
        }
    }

    /// Where each user was named last. A question about a state or city looks only there, one about the unknown region
    /// everywhere. Of the day of UTC in which the range ends only the quarter of an hour is known once it is 30 days old.
    fn last_regions(&self, question: &Question) -> HashMap<Number, Region> {
        let mut last = HashMap::<Number, (i64, Region)>::new();
        let asks_of_the_unknown = question.region.is_the_unknown();
        let midnight = question.range.end_ms - question.range.end_ms.rem_euclid(DAY_MS);
        let is_stored = midnight.max(question.range.start_ms) >= question.now_ms - 30 * DAY_MS;
        let moment = |at_ms: i64| match is_stored || at_ms < midnight {
            true => at_ms,
            false => at_ms - at_ms.rem_euclid(QUARTER_MS),
        };
        self.for_each_event(|region, stamp, user| {
            let looks_here = asks_of_the_unknown || question.region.admits(region);
            if looks_here && question.range.contains(stamp.at_ms) {
                let at_ms = moment(stamp.at_ms);
                let known = last.entry(user).or_insert((at_ms, region));
                let is_later = at_ms > known.0;
                let is_first_by_name =
                    at_ms == known.0 && (region.state, region.city) < (known.1.state, known.1.city);
                if is_later || is_first_by_name {
                    *known = (at_ms, region);
                }
            }
        });
        last.into_iter()
            .map(|(user, (_, region))| (user, region))
            .collect()
    }
}
