//! `/analytics/geographic`
//!
//! Of bookings and revenue, `unknown` is the total less what lies in a known state, so that points add up to the
//! total; of users, those who were seen last in no known region.
//!
#![doc = include_str!("../../definitions/geographic.md")]

mod sums;
pub(crate) mod users;

use std::collections::BTreeMap;

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use shared_schema::{Domain, EventType};
use utoipa::ToSchema;

use crate::{
    ask::Ask,
    cells::{Cells, Counted, Only, Part, What, counted, counted_as},
    number::{Amount, Hundredths, NAIRA, Quantity},
    query::Query,
    region::{RegionFilter, UNKNOWN, Unknown},
    rule::Rule,
    selection::Selection,
    time::{BeyondRetention, Kept, TooOld},
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

/// How something is spread over the regions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Geography {
    /// What.
    pub metric: Measure,
    /// One point for each region that has any, the largest first, ties by name.
    pub data_points: Vec<DataPoint>,
    /// The sum of the points.
    pub total_value: Quantity,
    /// What opens it, where it was asked for and is a count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cells: Option<Cells>,
    /// Revenue in other currencies, by ISO 4217 code, over all points. It is never converted or summed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
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
    #[schema(required)]
    pub share: Option<Hundredths>,
    /// What opens the value, where it was asked for and is a count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cells: Option<Cells>,
}

/// What a region has, or all of them together (no state).
#[derive(Clone, Debug, Default, PartialEq, Eq, Row, Deserialize)]
struct RegionRow {
    state: String,
    city: String,
    /// Empty where it is no money.
    currency: String,
    value: i128,
}

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
    measure.kept().check(&selection.range, selection.now)
}

/// Checks that all events are still stored that counts are to be opened down to.
///
/// # Errors
/// When the first may be gone.
pub fn check_opens(selection: &Selection, measure: Measure) -> Result<(), TooOld> {
    match selection.opening {
        Some(_) => measure.kept().check_start(&selection.range, selection.now),
        None => Ok(()),
    }
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
        if row.currency.is_empty() || row.currency == NAIRA {
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
            value: quantity(value),
            share: Hundredths::share(value, total),
            cells: selection.cells(
                measure.counted("value").as_slice(),
                &measure.of_region(selection, &state, &city),
            ),
            state,
            city,
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
        cells: selection.cells(
            measure.counted("total_value").as_slice(),
            &selection.whole(),
        ),
        other_currencies: (measure == Measure::Revenue).then(|| others.collect()),
        rule: rule(),
    }
}

impl Measure {
    /// How long the events that it is made of are stored.
    const fn kept(self) -> Kept {
        match self {
            Self::Bookings | Self::Revenue => Kept::Events,
            Self::Users => Kept::Locations,
        }
    }

    /// The field that can be opened, if what it shows is a count.
    fn counted(self, name: &'static str) -> Option<Counted> {
        match self {
            Self::Bookings => Some(counted(name, EventType::BookingCreated)),
            Self::Users => Some(counted_as(name, What::UsersSeenLast)),
            Self::Revenue => None,
        }
    }

    /// What a point counts.
    fn of_region(self, selection: &Selection, state: &str, city: &str) -> Part {
        let whole = selection.whole();
        let (state, city) = (state.to_owned(), city.to_owned());
        match self {
            // where a user was seen last, all events of the selection tell
            Self::Users => Part {
                only: Some(Only::Place { state, city }),
                ..whole
            },
            _ if state == UNKNOWN => Part {
                region: RegionFilter::Remainder(Unknown::State),
                ..whole
            },
            _ => Part {
                region: RegionFilter::Within {
                    state: Some(state),
                    city: Some(city),
                },
                ..whole
            },
        }
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

/// The rule of this analysis.
fn rule() -> Rule {
    Rule::new(
        "shares-by-region/1",
        "/v1/definitions/geographic",
        include_str!("../../definitions/geographic.md"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, in_lagos_off_grid, opened, shown, unknown_off_grid};

    #[test]
    fn regions_are_taken_away_from_the_total() {
        insta::assert_snapshot!(
            "revenue",
            shown(&query(&unknown_off_grid(), Measure::Revenue))
        );
        insta::assert_snapshot!(
            "bookings_in_lagos",
            shown(&query(&in_lagos_off_grid(), Measure::Bookings))
        );
    }

    #[test]
    fn points_that_can_be_opened_are_of_stored_events() {
        let opened = query(&opened(everywhere(false)), Measure::Bookings);
        insta::assert_snapshot!("bookings_opened", shown(&opened));
    }

    #[test]
    fn users_are_where_they_were_seen_last() {
        insta::assert_snapshot!("users", shown(&query(&everywhere(false), Measure::Users)));
        let mut recent = in_lagos_off_grid();
        recent.now = recent.range.end();
        insta::assert_snapshot!("users_of_today", shown(&query(&recent, Measure::Users)));
        insta::assert_snapshot!(
            "users_opened",
            shown(&query(&opened(recent), Measure::Users))
        );
    }

    #[test]
    fn what_lies_in_no_known_state_is_unknown() {
        let row = |state: &str, value| RegionRow {
            state: state.to_owned(),
            city: state.to_owned(),
            currency: String::new(),
            value,
        };
        let rows = vec![row("", 10), row("Kano", 3), row("Lagos", 4)];
        let json =
            serde_json::to_value(assemble(&everywhere(false), Measure::Bookings, rows)).unwrap();
        let points = json["data_points"].as_array().unwrap();
        let shown: Vec<(&str, u64)> = points
            .iter()
            .map(|point| {
                (
                    point["state"].as_str().unwrap(),
                    point["value"].as_u64().unwrap(),
                )
            })
            .collect();
        assert_eq!(shown, [("Lagos", 4), ("Kano", 3), ("unknown", 3)]);
        assert_eq!(json["total_value"], 10);
    }
}
