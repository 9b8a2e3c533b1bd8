//! `/metrics/trips`

use super::AnswerKey;
use super::distinct::{Distinct, Standing};
use super::exact::{Amount, Hundredths, mean_of_hundredths, mean_of_units, percent};
use super::question::Question;
use super::rows::{Completion, Number, TripKind, TripRow};
use super::series::{Point, Series};
use serde::Serialize;

/// Trips by what happened to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct TripMetrics {
    pub trips_started: u64,
    pub trips_completed: u64,
    pub trips_cancelled: u64,
    pub completion_rate: Option<Hundredths>,
    pub avg_duration_minutes: Option<Hundredths>,
    pub avg_distance_km: Option<Hundredths>,
    pub on_time_performance: Option<Hundredths>,
    pub total_driver_earnings: Amount,
    pub total_platform_commission: Amount,
    pub active_drivers: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_series: Option<Vec<Point<TripMetrics>>>,
}

#[derive(Debug, Default)]
struct Tally {
    started: u64,
    completed: u64,
    cancelled: u64,
    on_time: u64,
    minutes: i128,
    centi_km: i128,
    earnings_kobo: i64,
    commission_kobo: i64,
    drivers: Distinct<Number>,
}

impl Tally {
    fn add(&mut self, standing: Standing, row: &TripRow) {
        self.drivers.add(standing, row.driver);
        if standing == Standing::Inside {
            self.add_kind(row.kind);
        }
    }

    fn add_kind(&mut self, kind: TripKind) {
        match kind {
            TripKind::Started { .. } => self.started += 1,
            TripKind::Cancelled => self.cancelled += 1,
            TripKind::Completed(completion) => self.add_completion(&completion),
        }
    }

    fn add_completion(&mut self, completion: &Completion) {
        self.completed += 1;
        self.on_time += u64::from(completion.on_time);
        self.minutes += i128::from(completion.duration_minutes);
        self.centi_km += i128::from(completion.distance_centi_km);
        self.earnings_kobo += completion.earnings_kobo;
        self.commission_kobo += completion.commission_kobo;
    }

    fn finish(&self, time_series: Option<Vec<Point<TripMetrics>>>) -> TripMetrics {
        TripMetrics {
            trips_started: self.started,
            trips_completed: self.completed,
            trips_cancelled: self.cancelled,
            completion_rate: percent(self.completed, self.started),
            avg_duration_minutes: mean_of_units(self.minutes, self.completed),
            avg_distance_km: mean_of_hundredths(self.centi_km, self.completed).map(Hundredths),
            on_time_performance: percent(self.on_time, self.completed),
            total_driver_earnings: Amount(self.earnings_kobo),
            total_platform_commission: Amount(self.commission_kobo),
            active_drivers: self.drivers.count(),
            time_series,
        }
    }
}

impl AnswerKey {
    /// The trip metrics.
    #[must_use]
    pub fn trips(&self, question: &Question) -> TripMetrics {
        let mut total = Tally::default();
        let mut series = Series::<Tally>::of(question);
        for (standing, row) in self.trips_in(question) {
            total.add(standing, row);
            if let Some(tally) = series
                .as_mut()
                .and_then(|series| series.at(row.stamp.at_ms, standing))
            {
                tally.add(standing, row);
            }
        }
        total.finish(series.map(|series| series.points(question, |_, tally| tally.finish(None))))
    }

    /// The trip events of the range that bear on the question.
    pub(super) fn trips_in<'a>(
        &'a self,
        question: &'a Question,
    ) -> impl Iterator<Item = (Standing, &'a TripRow)> {
        let in_range = self
            .trips
            .iter()
            .filter(|row| question.range.contains(row.stamp.at_ms));
        in_range.filter_map(|row| {
            let standing = question.region.standing(self.ride_region(row.booking))?;
            Some((standing, row))
        })
    }
}
