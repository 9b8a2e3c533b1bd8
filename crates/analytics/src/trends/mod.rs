//! `/analytics/trends`
//!
//! ```text
//! Metric ─▶ the series of its module (bookings, payments, trips, users) ─▶ one value for each unit
//!                        └─ the same of as many units before, if they are to be compared
//! ```
//!
#![doc = include_str!("../../definitions/trends.md")]

mod metric;
mod users;

use serde::Serialize;
use utoipa::ToSchema;

pub use self::metric::{Metric, Unit, UnknownMetric};
use crate::{
    activity::is_within_reach,
    ask::Ask,
    bookings,
    cells::Cells,
    number::{Hundredths, Quantity},
    payments,
    query::Query,
    rule::Rule,
    selection::{Selection, unsettled},
    series::Point,
    time::{BeyondRetention, Buckets, DateRange, Granularity, Kept, TooManyPoints, TooOld},
    trips,
};
use metric::Source;
use shared_schema::Domain;
use users::UserMetric;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    metric: Metric,
    granularity: Granularity,
    current: Selection,
    previous: Option<Selection>,
}

/// Why there is no trend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrendError {
    /// The series would be too long.
    #[error(transparent)]
    TooManyPoints(#[from] TooManyPoints),
    /// The clock skips the period before, or the calendar has none.
    #[error("the clock of the zone has no such period before")]
    NoPeriodBefore,
}

/// A metric over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Trend {
    /// Its name.
    #[schema(value_type = String, example = "bookings_created")]
    pub metric: Metric,
    /// What its values are in.
    pub unit: Unit,
    /// The width of the points.
    pub granularity: Granularity,
    /// The range that was asked for.
    #[serde(flatten)]
    pub period: Period,
    /// The period before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub previous_period: Option<Previous>,
    /// The rule that was applied.
    pub rule: Rule,
}

/// A metric over a range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Period {
    /// Over the whole range; `null` where it is a rate, mean or percentile of nothing.
    #[schema(required)]
    pub value: Option<Quantity>,
    /// What opens the value, where it was asked for and counts events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cells: Option<Cells>,
    /// One point for each calendar unit.
    pub time_series: Vec<Point<TrendPoint>>,
}

/// The metric over the period before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Previous {
    /// The period.
    pub date_range: DateRange,
    /// The metric over it.
    #[serde(flatten)]
    pub period: Period,
    /// How much more a count or sum is now, in percent of what it was; `null` where it was nothing, and for rates, means
    /// and percentiles, which are rounded: compare the values.
    #[schema(required)]
    pub change_percent: Option<Hundredths>,
}

/// A metric over a calendar unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct TrendPoint {
    /// `null` where it is a rate, mean or percentile of nothing.
    #[schema(required)]
    pub value: Option<Quantity>,
}

impl Question {
    /// A metric over the units of a selection's range, compared with the period before or not.
    ///
    /// # Errors
    /// When the series would have too many points, or there is no period before to compare with.
    pub fn new(
        metric: Metric,
        granularity: Granularity,
        asked: &Selection,
        with_previous: bool,
    ) -> Result<Self, TrendError> {
        let selection = |range: DateRange| -> Result<Selection, TooManyPoints> {
            Ok(Selection {
                range,
                series: Some(Buckets::of(&range, granularity)?),
                ..asked.clone()
            })
        };
        let range = asked.range;
        let current = selection(range)?;
        let previous = match with_previous {
            true => {
                let units = current.series.as_ref().map_or(0, Buckets::len);
                let before = range.moved_back(units, granularity);
                Some(selection(before.ok_or(TrendError::NoPeriodBefore)?)?)
            }
            false => None,
        };
        let question = Self {
            metric,
            granularity,
            current,
            previous,
        };
        if let Source::Users(UserMetric::ActiveInLast(days)) = metric.source() {
            let mut asked = question.selections();
            if !asked.all(|selection| is_within_reach(selection, days)) {
                return Err(TooManyPoints.into());
            }
        }
        Ok(question)
    }

    fn selections(&self) -> impl Iterator<Item = &Selection> {
        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
    }

    /// How many points its series have.
    #[must_use]
    pub fn points(&self) -> usize {
        let series = self.selections().filter_map(|asked| asked.series.as_ref());
        series.map(Buckets::len).sum()
    }

    /// Checks that what the bounds need is still stored.
    ///
    /// # Errors
    /// When a bound lies off the grid where events are no longer kept.
    pub fn check_kept(&self) -> Result<(), BeyondRetention> {
        self.metric.check_kept(&self.current)
    }

    /// Checks the same of the bounds of the period before.
    ///
    /// # Errors
    /// When one lies off the grid where events are no longer kept.
    pub fn check_previous_kept(&self) -> Result<(), BeyondRetention> {
        let previous = self.previous.as_ref();
        previous.map_or(Ok(()), |previous| self.metric.check_kept(previous))
    }

    /// Checks that the events of the period before are still stored, where counts are to be opened.
    ///
    /// # Errors
    /// When the first may be gone.
    pub fn check_previous_opens(&self) -> Result<(), TooOld> {
        match &self.previous {
            Some(previous) if previous.opening.is_some() => {
                Kept::Events.check_start(&previous.range, previous.now)
            }
            _ => Ok(()),
        }
    }

    /// Counts the facts that no regional number holds yet, if a region is asked of.
    #[must_use]
    pub fn unsettled_facts(&self) -> Option<Query> {
        let domains: &[Domain] = match self.metric.source() {
            Source::Users(metric) => metric.domains(),
            Source::Bookings(_) => &[Domain::Booking],
            Source::Payments(_) => &[Domain::Payment],
            Source::Trips(_) => &[Domain::Trip],
        };
        let start = self
            .selections()
            .map(|selection| match self.metric.source() {
                Source::Users(metric) => metric.since(selection),
                _ => selection.range.start(),
            });
        let (start, end) = (start.min()?, self.current.range.end());
        let count = || unsettled(domains, start, end);
        self.current.region.is_regional().then(count)
    }
}

/// Asks for the metric over the range, and over the period before.
///
/// # Errors
/// When a statement is not answered.
pub async fn ask<A: Ask>(store: &A, question: &Question) -> Result<Trend, A::Error> {
    let period = period(store, question.metric, &question.current).await?;
    let previous_period = match &question.previous {
        None => None,
        Some(previous) => {
            let then = self::period(store, question.metric, previous).await?;
            Some(Previous {
                date_range: previous.range,
                change_percent: change(question.metric, period.value, then.value),
                period: then,
            })
        }
    };
    Ok(Trend {
        metric: question.metric,
        unit: question.metric.unit(),
        granularity: question.granularity,
        period,
        previous_period,
        rule: rule(),
    })
}

fn change(metric: Metric, now: Option<Quantity>, before: Option<Quantity>) -> Option<Hundredths> {
    if !metric.is_exact() {
        return None;
    }
    let (now, before) = (now?.hundredths(), before?.hundredths());
    Hundredths::share(now - before, before)
}

async fn period<A: Ask>(
    store: &A,
    metric: Metric,
    selection: &Selection,
) -> Result<Period, A::Error> {
    match metric.source() {
        Source::Bookings(value) => {
            let bookings = bookings::ask(store, selection).await?;
            Ok(Period::of(
                metric,
                &bookings.totals,
                bookings.cells,
                bookings.time_series,
                value,
            ))
        }
        Source::Payments(value) => {
            let payments = payments::ask(store, selection).await?;
            Ok(Period::of(
                metric,
                &payments.totals,
                payments.cells,
                payments.time_series,
                value,
            ))
        }
        Source::Trips(value) => {
            let trips = trips::ask(store, selection).await?;
            Ok(Period::of(
                metric,
                &trips.totals,
                trips.cells,
                trips.time_series,
                value,
            ))
        }
        Source::Users(metric) => users::trend(store, selection, metric).await,
    }
}

impl Period {
    fn of<T>(
        metric: Metric,
        totals: &T,
        cells: Option<Cells>,
        series: Option<Vec<Point<T>>>,
        value: fn(&T) -> Option<Quantity>,
    ) -> Self {
        let of_value = |cells: Option<Cells>| cells?.renamed(metric.name(), "value");
        let points = series.into_iter().flatten().map(|point| Point {
            values: TrendPoint {
                value: value(&point.values),
            },
            cells: of_value(point.cells),
            start: point.start,
            partial: point.partial,
        });
        Self {
            value: value(totals),
            cells: of_value(cells),
            time_series: points.collect(),
        }
    }
}

/// The rule of this analysis.
fn rule() -> Rule {
    Rule::new(
        "metric-by-unit/1",
        "/v1/definitions/trends",
        include_str!("../../definitions/trends.md"),
    )
}
