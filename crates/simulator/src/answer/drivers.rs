//! `/metrics/drivers`

use super::AnswerKey;
use super::calendar::local_date;
use super::distinct::{Distinct, Standing};
use super::exact::{Amount, Hundredths, percent, percentile_hundredfold, quotient};
use super::question::Question;
use super::rows::{Completion, TripKind};
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::HashMap;
use uuid::Uuid;

/// The drivers that earned most, and how earnings are spread over all drivers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct DriverMetrics {
    pub drivers: Vec<DriverRow>,
    pub earnings_distribution: EarningsDistribution,
}

/// A driver's completed trips.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct DriverRow {
    pub driver_id: Uuid,
    pub total_trips: u64,
    pub total_earnings: Amount,
    pub avg_earnings_per_trip: Option<Amount>,
    pub total_distance_km: Hundredths,
    pub active_days: u64,
    pub on_time_rate: Option<Hundredths>,
}

/// Percentiles of the drivers' earnings, to the kobo; `null` without drivers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct EarningsDistribution {
    pub p10: Option<Amount>,
    pub p25: Option<Amount>,
    pub p50: Option<Amount>,
    pub p75: Option<Amount>,
    pub p90: Option<Amount>,
}

#[derive(Debug, Default)]
struct Tally {
    trips: u64,
    on_time: u64,
    earnings_kobo: i64,
    centi_km: i64,
    days: Distinct<NaiveDate>,
}

impl Tally {
    fn add(&mut self, standing: Standing, day: NaiveDate, completion: &Completion) {
        self.days.add(standing, day);
        if standing == Standing::Inside {
            self.add_trip(completion);
        }
    }

    fn add_trip(&mut self, completion: &Completion) {
        self.trips += 1;
        self.on_time += u64::from(completion.on_time);
        self.earnings_kobo += completion.earnings_kobo;
        self.centi_km += i64::from(completion.distance_centi_km);
    }

    fn finish(&self, driver_id: Uuid) -> DriverRow {
        DriverRow {
            driver_id,
            total_trips: self.trips,
            total_earnings: Amount(self.earnings_kobo),
            avg_earnings_per_trip: quotient(self.earnings_kobo.into(), self.trips.into())
                .map(Amount),
            total_distance_km: Hundredths(self.centi_km),
            active_days: self.days.count(),
            on_time_rate: percent(self.on_time, self.trips),
        }
    }
}

impl EarningsDistribution {
    fn of(rows: &[DriverRow]) -> Self {
        let mut earnings: Vec<i64> = rows.iter().map(|row| row.total_earnings.0).collect();
        earnings.sort_unstable();
        let at = |level| {
            percentile_hundredfold(&earnings, level)
                .and_then(|value| quotient(value, 100))
                .map(Amount)
        };
        Self {
            p10: at(10),
            p25: at(25),
            p50: at(50),
            p75: at(75),
            p90: at(90),
        }
    }
}

impl AnswerKey {
    /// The `limit` drivers that earned most, ties by the text of their ids, and the distribution over all.
    #[must_use]
    pub fn drivers(&self, question: &Question, limit: usize) -> DriverMetrics {
        let mut tallies = HashMap::<_, Tally>::new();
        for (standing, row) in self.trips_in(question) {
            if let TripKind::Completed(completion) = &row.kind {
                let day = local_date(question.range.zone, row.stamp.at_ms);
                let tally = tallies.entry(row.driver).or_default();
                tally.add(standing, day, completion);
            }
        }
        tallies.retain(|_, tally| tally.trips > 0);
        let mut drivers: Vec<DriverRow> = tallies
            .iter()
            .filter_map(|(driver, tally)| Some(tally.finish(self.user_ids.thing(*driver)?)))
            .collect();
        // A UUID's bytes are in the order of its text.
        drivers.sort_unstable_by_key(|row| (std::cmp::Reverse(row.total_earnings), row.driver_id));
        let earnings_distribution = EarningsDistribution::of(&drivers);
        drivers.truncate(limit);
        DriverMetrics {
            drivers,
            earnings_distribution,
        }
    }
}
