//! `/analytics/geographic`
//!
//! Each region has a point; `unknown` is the total less what lies in a known state, so that points add up to the
//! total.
//!
#![doc = include_str!("../../definitions/geographic.md")]

mod sums;
mod users;

use std::{collections::BTreeMap, str::FromStr};

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use shared_schema::Domain;
use utoipa::ToSchema;

use crate::{
    ask::Ask,
    number::{Amount, Hundredths},
    query::Query,
    region::{RegionFilter, UNKNOWN, Unknown},
    rule::Rule,
    selection::Selection,
    time::{BeyondRetention, Kept},
};

/// The rule of this analysis.
pub const RULE: Rule = Rule {
    name: "shares-by-region/1",
    description: "Bookings are booking.created events and revenue is the NGN amount of payment.success events, each in the \
        region of its ride. Users are the distinct users whom any event of the range names as user_id, rider_id or \
        driver_id, each in the region of the last of these events; where it has several at the same time, in the first by \
        name. With a region, only events of that region count. What has no settled region is in `unknown`.",
};

/// What is spread over the regions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// `booking.created` events.
    #[default]
    Bookings,
    /// Successful payments in NGN.
    Revenue,
    /// Distinct active users.
    Users,
}

/// Nothing that is measured has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is none of bookings, revenue, users")]
pub struct UnknownMeasure;

impl FromStr for Measure {
    type Err = UnknownMeasure;

    fn from_str(text: &str) -> Result<Self, UnknownMeasure> {
        match text {
            "bookings" => Ok(Self::Bookings),
            "revenue" => Ok(Self::Revenue),
            "users" => Ok(Self::Users),
            _ => Err(UnknownMeasure),
        }
    }
}

/// How something is spread over the regions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Geography {
    /// What.
    pub metric: Measure,
    /// One point for each region that has any, the largest first, ties by name.
    pub data_points: Vec<DataPoint>,
    /// The sum of the points.
    pub total_value: Quantity,
    /// Revenue in other currencies, by ISO 4217 code, over all points. It is never converted or summed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_currencies: Option<BTreeMap<String, Amount>>,
    /// The rule that was applied.
    pub rule: Rule,
}

/// What a region has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DataPoint {
    /// The state, or `unknown`.
    #[schema(example = "Lagos")]
    pub state: String,
    /// The city, or `unknown`.
    #[schema(example = "Ikeja")]
    pub city: String,
    /// How much.
    pub value: Quantity,
    /// Its share of the total, in percent.
    pub share: Option<Hundredths>,
}

/// A count (a JSON number), or money (a JSON string).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Quantity {
    /// So many.
    Count(u64),
    /// So much NGN.
    Money(Amount),
}

/// What a region has, or all of them together (no state).
#[derive(Clone, Debug, Default, PartialEq, Eq, Row, Deserialize)]
struct RegionRow {
    state: String,
    city: String,
    currency: String,
    value: i128,
}

const NAIRA: &str = "NGN";

/// Asks how a measure is spread over the regions.
///
/// # Errors
/// When the statement is not answered.
pub async fn ask<A: Ask>(
    store: &A,
    selection: &Selection,
    measure: Measure,
) -> Result<Geography, A::Error> {
    let rows = store.rows("geographic", &query(selection, measure)).await?;
    Ok(assemble(selection, measure, rows))
}

/// Counts the facts whose region is not known yet.
#[must_use]
pub fn unsettled_facts(selection: &Selection, measure: Measure) -> Query {
    let domains: &[Domain] = match measure {
        Measure::Bookings => &[Domain::Booking],
        Measure::Revenue => &[Domain::Payment],
        Measure::Users => &Domain::ALL,
    };
    let range = &selection.range;
    crate::selection::unsettled(domains, range.start(), range.end())
}

/// Checks that what the bounds need is still stored.
///
/// # Errors
/// When a bound lies off the grid where events are no longer kept.
pub fn check_kept(selection: &Selection, measure: Measure) -> Result<(), BeyondRetention> {
    let kept = match measure {
        Measure::Bookings | Measure::Revenue => Kept::Events,
        Measure::Users => Kept::Locations,
    };
    kept.check(&selection.range, selection.now)
}

fn query(selection: &Selection, measure: Measure) -> Query {
    match measure {
        Measure::Bookings => sums::bookings(selection),
        Measure::Revenue => sums::revenue(selection),
        Measure::Users => users::query(selection),
    }
}

fn assemble(selection: &Selection, measure: Measure, rows: Vec<RegionRow>) -> Geography {
    let shown = |state: &str, city: &str| match &selection.region {
        RegionFilter::Remainder(Unknown::State) => state == UNKNOWN,
        RegionFilter::Remainder(Unknown::City) => city == UNKNOWN,
        _ => true,
    };
    let mut points = BTreeMap::<(String, String), i128>::new();
    let mut others = BTreeMap::<String, i128>::new();
    for row in with_unknown(rows) {
        if !shown(&row.state, &row.city) {
            continue;
        }
        if row.currency == NAIRA {
            points.insert((row.state, row.city), row.value);
        } else {
            *others.entry(row.currency).or_default() += row.value;
        }
    }
    points.retain(|_, value| *value > 0);
    let total: i128 = points.values().sum();
    let quantity = |value: i128| match measure {
        Measure::Revenue => Quantity::Money(Amount::of_hundredths(value)),
        _ => Quantity::Count(u64::try_from(value).unwrap_or_default()),
    };
    let mut data_points: Vec<DataPoint> = points
        .into_iter()
        .map(|((state, city), value)| DataPoint {
            state,
            city,
            value: quantity(value),
            share: Hundredths::share(value, total),
        })
        .collect();
    data_points.sort_by_key(|point| std::cmp::Reverse(point.value));
    others.retain(|_, value| *value != 0);
    let others = others
        .into_iter()
        .map(|(currency, value)| (currency, Amount::of_hundredths(value)));
    Geography {
        metric: measure,
        data_points,
        total_value: quantity(total),
        other_currencies: (measure == Measure::Revenue).then(|| others.collect()),
        rule: RULE,
    }
}

/// The rows of the regions, and of each currency what the rows of all of them together have beyond those.
fn with_unknown(rows: Vec<RegionRow>) -> Vec<RegionRow> {
    let (all, mut regions): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.state.is_empty());
    for all in all {
        let known = regions.iter().filter(|row| row.currency == all.currency);
        let known: i128 = known.map(|row| row.value).sum();
        regions.push(RegionRow {
            state: UNKNOWN.to_owned(),
            city: UNKNOWN.to_owned(),
            value: all.value - known,
            ..all
        });
    }
    regions
}
