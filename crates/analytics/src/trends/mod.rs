//! `/analytics/trends`
//!
//! ```text
//! Metric ─▶ the series of its module (bookings, payments, trips, users) ─▶ one value for each unit
//!                        └─ the same of as many units before, if they are to be compared
//! ```
//!
#![doc = include_str!("../../definitions/trends.md")]

mod metric;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::metric::{Metric, Unit, UnknownMetric};
use crate::{
    ask::Ask,
    bookings,
    number::{Amount, Hundredths},
    payments,
    query::Query,
    region::RegionFilter,
    rule::Rule,
    selection::Selection,
    series::Point,
    time::{BeyondRetention, Buckets, DateRange, Granularity, Kept, TooManyPoints},
    trips, users,
};
use metric::Source;

/// The rule of this analysis.
pub const RULE: Rule = Rule {
    name: "metric-by-unit/1",
    description: "Each point is the metric over its calendar unit, as its definition says; dau, wau and mau are of the last 1, \
        7 and 30 local days that end with the unit. Money is NGN alone. The previous period is the same range moved back by \
        as many units as it touches, on the local clock, so that the n-th points of both belong together. The change is \
        that of the value of the whole range, in percent of the value before.",
};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    metric: Metric,
    granularity: Granularity,
    now: Selection,
    before: Option<Selection>,
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
    pub previous_period: Option<Previous>,
    /// The rule that was applied.
    pub rule: Rule,
}

/// A metric over a range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Period {
    /// Over the whole range; `null` where it is a rate, mean or percentile of nothing.
    pub value: Option<Quantity>,
    /// One point for each calendar unit.
    pub time_series: Vec<Point<TrendPoint>>,
}

/// The metric over the period before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Previous {
    /// The period.
    #[schema(value_type = Object, example = json!({
        "start_date": "2023-12-01T00:00:00.000+01:00", "end_date": "2023-12-31T23:59:59.999+01:00", "tz": "Africa/Lagos"
    }))]
    pub date_range: DateRange,
    /// The metric over it.
    #[serde(flatten)]
    pub period: Period,
    /// How much more the metric is now, in percent of what it was; `null` where it was nothing.
    pub change_percent: Option<Hundredths>,
}

/// A metric over a calendar unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct TrendPoint {
    /// `null` where it is a rate, mean or percentile of nothing.
    pub value: Option<Quantity>,
}

/// A count or a decimal (JSON numbers), or money (a JSON string).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
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
    fn hundredths(self) -> i128 {
        match self {
            Self::Count(count) => i128::from(count) * 100,
            Self::Decimal(decimal) => decimal.hundredths(),
            Self::Money(money) => money.hundredths(),
        }
    }
}

impl Question {
    /// A metric over the units of a range, compared with the period before or not.
    ///
    /// # Errors
    /// When the series would have too many points.
    pub fn new(
        metric: Metric,
        granularity: Granularity,
        range: DateRange,
        region: &RegionFilter,
        now: DateTime<Utc>,
        with_previous: bool,
    ) -> Result<Self, TooManyPoints> {
        let selection = |range: DateRange| {
            Ok(Selection {
                range,
                region: region.clone(),
                series: Some(Buckets::of(&range, granularity)?),
                now,
            })
        };
        let over = selection(range)?;
        let before = match with_previous {
            true => {
                let units = over.series.as_ref().map_or(0, Buckets::len);
                range
                    .moved_back(units, granularity)
                    .map(selection)
                    .transpose()?
            }
            false => None,
        };
        Ok(Self {
            metric,
            granularity,
            now: over,
            before,
        })
    }

    /// Checks that what the bounds need is still stored.
    ///
    /// # Errors
    /// When a bound lies off the grid where events are no longer kept.
    pub fn check_kept(&self) -> Result<(), BeyondRetention> {
        [Some(&self.now), self.before.as_ref()]
            .into_iter()
            .flatten()
            .try_for_each(|selection| match self.metric.source() {
                Source::Users(metric) => metric.check_kept(selection),
                _ => Kept::Events.check(&selection.range, selection.now),
            })
    }

    /// Counts the facts that no regional number holds yet, if a region is asked of.
    #[must_use]
    pub fn unsettled_facts(&self) -> Option<Query> {
        match self.metric.source() {
            Source::Users(_) => users::unsettled_facts(&self.now),
            Source::Bookings(_) => bookings::unsettled_facts(&self.now),
            Source::Payments(_) => self.now.unsettled(&[crate::Domain::Payment]),
            Source::Trips(_) => trips::unsettled_facts(&self.now),
        }
    }
}

/// Asks for the metric over the range, and over the period before.
///
/// # Errors
/// When a statement is not answered.
pub async fn ask<A: Ask>(store: &A, question: &Question) -> Result<Trend, A::Error> {
    let period = period(store, question.metric, &question.now).await?;
    let previous_period = match &question.before {
        None => None,
        Some(before) => {
            let then = self::period(store, question.metric, before).await?;
            Some(Previous {
                date_range: before.range,
                change_percent: change(period.value, then.value),
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
        rule: RULE,
    })
}

fn change(now: Option<Quantity>, before: Option<Quantity>) -> Option<Hundredths> {
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
            Ok(Period::of(&bookings.totals, bookings.time_series, value))
        }
        Source::Payments(value) => {
            let payments = payments::ask(store, selection).await?;
            Ok(Period::of(&payments.totals, payments.time_series, value))
        }
        Source::Trips(value) => {
            let trips = trips::ask(store, selection).await?;
            Ok(Period::of(&trips.totals, trips.time_series, value))
        }
        Source::Users(metric) => {
            let (value, time_series) = users::trend(store, selection, metric).await?;
            Ok(Period { value, time_series })
        }
    }
}

impl Period {
    fn of<T>(totals: &T, series: Option<Vec<Point<T>>>, value: fn(&T) -> Option<Quantity>) -> Self {
        let points = series.into_iter().flatten().map(|point| Point {
            values: TrendPoint {
                value: value(&point.values),
            },
            start: point.start,
            partial: point.partial,
        });
        Self {
            value: value(totals),
            time_series: points.collect(),
        }
    }
}
