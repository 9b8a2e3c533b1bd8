//! `/metrics/bookings`
//!
#![doc = include_str!("../definitions/bookings.md")]

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ask::Ask,
    cells::{Cells, Counted, counted},
    count,
    number::{Amount, Hundredths},
    query::Query,
    selection::Selection,
    series::{self, OfUnit, Point},
    source::{Column, Family},
};
use shared_schema::{Domain, EventType};

/// Bookings by what happened to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Bookings {
    /// The whole range.
    #[serde(flatten)]
    pub totals: BookingTotals,
    /// What opens its counts, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cells: Option<Cells>,
    /// One point per calendar unit, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub time_series: Option<Vec<Point<BookingTotals>>>,
}

/// Bookings of a stretch of time, each event counted at its own time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct BookingTotals {
    /// `booking.created` events.
    #[schema(example = 1200)]
    pub bookings_created: u64,
    /// `booking.confirmed` events.
    #[schema(example = 900)]
    pub bookings_confirmed: u64,
    /// `booking.cancelled` events.
    #[schema(example = 150)]
    pub bookings_cancelled: u64,
    /// `booking.completed` events.
    #[schema(example = 800)]
    pub bookings_completed: u64,
    /// Confirmed over created, in percent. It may exceed 100: a booking may be created before the range.
    #[schema(required)]
    pub conversion_rate: Option<Hundredths>,
    /// Cancelled over created, in percent.
    #[schema(required)]
    pub cancellation_rate: Option<Hundredths>,
    /// Mean price of the confirmed bookings.
    #[schema(required)]
    pub avg_booking_value: Option<Amount>,
    /// Sum of the prices of the confirmed bookings.
    pub total_booking_value: Amount,
}

/// A row of the answer: the whole range (unit 0) or a unit of the series.
#[derive(Clone, Debug, Default, Row, Deserialize)]
struct BookingRow {
    unit: u64,
    created: i64,
    confirmed: i64,
    cancelled: i64,
    completed: i64,
    confirmed_value: i128,
}

const FAMILY: Family = Family {
    slots: "agg_bookings",
    domain: Domain::Booking,
    event_types: "'booking.created', 'booking.confirmed', 'booking.cancelled', 'booking.completed'",
    keys: &[],
    measures: &[
        Column {
            name: "created",
            of_slot: "created",
            of_events: "countIf(event_type = 'booking.created')",
        },
        Column {
            name: "confirmed",
            of_slot: "confirmed",
            of_events: "countIf(event_type = 'booking.confirmed')",
        },
        Column {
            name: "cancelled",
            of_slot: "cancelled",
            of_events: "countIf(event_type = 'booking.cancelled')",
        },
        Column {
            name: "completed",
            of_slot: "completed",
            of_events: "countIf(event_type = 'booking.completed')",
        },
        Column {
            name: "confirmed_value",
            of_slot: "confirmed_value",
            of_events: "sumIf(toDecimal128(ifNull(total_price, 0), 2), event_type = 'booking.confirmed')",
        },
    ],
};

/// Asks for the metrics.
///
/// # Errors
/// When the statement is not answered.
pub async fn ask<A: Ask>(store: &A, selection: &Selection) -> Result<Bookings, A::Error> {
    let rows = store.rows("bookings", &query(selection)).await?;
    Ok(assemble(selection, rows))
}

/// Counts the facts that no regional number holds yet, if a region is asked of.
#[must_use]
pub fn unsettled_facts(selection: &Selection) -> Option<Query> {
    selection.unsettled(&[Domain::Booking])
}

/// The statement; its rows are [`BookingRow`]s.
fn query(selection: &Selection) -> Query {
    let measures = "sum(sign * created) AS created, sum(sign * confirmed) AS confirmed, \
        sum(sign * cancelled) AS cancelled, sum(sign * completed) AS completed, \
        sum(sign * confirmed_value) AS confirmed_value";
    FAMILY.totals(selection, measures)
}

/// The metrics that the rows tell.
fn assemble(selection: &Selection, rows: Vec<BookingRow>) -> Bookings {
    let (totals, time_series) =
        series::totals(selection, BookingTotals::COUNTED, rows, BookingTotals::of);
    Bookings {
        totals,
        cells: selection.cells(BookingTotals::COUNTED, &selection.whole()),
        time_series,
    }
}

impl OfUnit for BookingRow {
    fn unit(&self) -> u64 {
        self.unit
    }
}

impl BookingTotals {
    /// What can be opened of them.
    pub(crate) const COUNTED: &'static [Counted] = &[
        counted("bookings_created", EventType::BookingCreated),
        counted("bookings_confirmed", EventType::BookingConfirmed),
        counted("bookings_cancelled", EventType::BookingCancelled),
        counted("bookings_completed", EventType::BookingCompleted),
    ];

    fn of(row: &BookingRow) -> Self {
        let (created, confirmed, cancelled) = (
            count(row.created),
            count(row.confirmed),
            count(row.cancelled),
        );
        let value = Amount::of_hundredths(row.confirmed_value);
        Self {
            bookings_created: created,
            bookings_confirmed: confirmed,
            bookings_cancelled: cancelled,
            bookings_completed: count(row.completed),
            conversion_rate: Hundredths::percent(confirmed, created),
            cancellation_rate: Hundredths::percent(cancelled, created),
            avg_booking_value: value.each(confirmed),
            total_booking_value: value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, in_lagos_off_grid, opened, shown, unknown_off_grid};

    #[test]
    fn the_whole_range_is_one_row_of_slots() {
        insta::assert_snapshot!(shown(&query(&everywhere(false))));
    }

    #[test]
    fn bounds_off_the_grid_and_the_unknown_region_read_the_stored_events() {
        insta::assert_snapshot!(shown(&query(&unknown_off_grid())));
    }

    #[test]
    fn what_can_be_opened_is_of_events_that_were_durable_and_settled() {
        insta::assert_snapshot!("opened", shown(&query(&opened(everywhere(false)))));
        insta::assert_snapshot!(
            "opened_in_lagos",
            shown(&query(&opened(in_lagos_off_grid())))
        );
    }

    #[test]
    fn rates_come_from_the_counts() {
        let row = BookingRow {
            created: 3,
            confirmed: 2,
            confirmed_value: 500_001,
            ..BookingRow::default()
        };
        let json = serde_json::to_value(assemble(&everywhere(false), vec![row])).unwrap();
        assert_eq!(json["conversion_rate"], 66.67);
        assert_eq!(json["cancellation_rate"], 0.0);
        assert_eq!(json["avg_booking_value"], "2500.01");
        assert_eq!(json["total_booking_value"], "5000.01");
        assert!(json.get("time_series").is_none());
    }

    #[test]
    fn nothing_gives_null_rates_and_an_empty_sum() {
        let json = serde_json::to_value(assemble(&everywhere(true), Vec::new())).unwrap();
        assert_eq!(json["conversion_rate"], serde_json::Value::Null);
        assert_eq!(json["avg_booking_value"], serde_json::Value::Null);
        assert_eq!(json["total_booking_value"], "0.00");
        assert_eq!(json["time_series"].as_array().unwrap().len(), 31);
    }
}
