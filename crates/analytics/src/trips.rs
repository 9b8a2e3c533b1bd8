//! `/metrics/trips`
//!
#![doc = include_str!("../definitions/trips.md")]

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ask::Ask,
    cells::{Cells, Counted, What, counted, counted_as},
    count,
    number::{Amount, Hundredths},
    query::Query,
    selection::Selection,
    series::{self, OfUnit, Point},
    source::{Column, Family},
};
use shared_schema::{Domain, EventType};

/// Trips by what happened to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Trips {
    /// The whole range.
    #[serde(flatten)]
    pub totals: TripTotals,
    /// What opens its counts, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cells: Option<Cells>,
    /// One point per calendar unit, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub time_series: Option<Vec<Point<TripTotals>>>,
}

/// Trips of a stretch of time, each event counted at its own time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct TripTotals {
    /// `trip.started` events.
    pub trips_started: u64,
    /// `trip.completed` events.
    pub trips_completed: u64,
    /// `trip.cancelled` events.
    pub trips_cancelled: u64,
    /// Completed over started, in percent.
    #[schema(required)]
    pub completion_rate: Option<Hundredths>,
    /// Mean duration of the completed trips.
    #[schema(required)]
    pub avg_duration_minutes: Option<Hundredths>,
    /// Mean distance of the completed trips.
    #[schema(required)]
    pub avg_distance_km: Option<Hundredths>,
    /// Share of the completed trips that were on time, in percent.
    #[schema(required)]
    pub on_time_performance: Option<Hundredths>,
    /// What drivers earned with the completed trips.
    pub total_driver_earnings: Amount,
    /// What the platform kept of the completed trips.
    pub total_platform_commission: Amount,
    /// Distinct drivers in trip events of any kind.
    pub active_drivers: u64,
}

/// A row of the answer: the whole range (unit 0) or a unit of the series.
#[derive(Clone, Debug, Default, Row, Deserialize)]
struct TripRow {
    unit: u64,
    started: i64,
    completed: i64,
    cancelled: i64,
    duration_minutes: i64,
    distance_m: i64,
    on_time: i64,
    driver_earnings: i128,
    platform_commission: i128,
    drivers: i64,
}

const FAMILY: Family = Family {
    slots: "agg_trips",
    domain: Domain::Trip,
    event_types: "'trip.started', 'trip.completed', 'trip.cancelled'",
    keys: &[],
    measures: &[
        Column {
            name: "started",
            of_slot: "started",
            of_events: "countIf(event_type = 'trip.started')",
        },
        Column {
            name: "completed",
            of_slot: "completed",
            of_events: "countIf(event_type = 'trip.completed')",
        },
        Column {
            name: "cancelled",
            of_slot: "cancelled",
            of_events: "countIf(event_type = 'trip.cancelled')",
        },
        Column {
            name: "minutes",
            of_slot: "duration_minutes",
            of_events: "sumIf(toUInt64(ifNull(duration_minutes, 0)), event_type = 'trip.completed')",
        },
        Column {
            name: "metres",
            of_slot: "distance_m",
            of_events: "sumIf(distance_m, event_type = 'trip.completed')",
        },
        Column {
            name: "punctual",
            of_slot: "on_time",
            of_events: "countIf(event_type = 'trip.completed' AND ifNull(on_time, false))",
        },
        Column {
            name: "earnings",
            of_slot: "driver_earnings",
            of_events: "sumIf(toDecimal128(ifNull(driver_earnings, 0), 2), event_type = 'trip.completed')",
        },
        Column {
            name: "commission",
            of_slot: "platform_commission",
            of_events: "sumIf(toDecimal128(ifNull(platform_commission, 0), 2), event_type = 'trip.completed')",
        },
        Column {
            name: "drivers",
            of_slot: "driver_ids",
            of_events: "groupUniqArray(driver_id)",
        },
    ],
};

/// Asks for the metrics.
///
/// # Errors
/// When the statement is not answered.
pub async fn ask<A: Ask>(store: &A, selection: &Selection) -> Result<Trips, A::Error> {
    let rows = store.rows("trips", &query(selection)).await?;
    Ok(assemble(selection, rows))
}

/// Counts the facts that no regional number holds yet, if a region is asked of.
#[must_use]
pub fn unsettled_facts(selection: &Selection) -> Option<Query> {
    selection.unsettled(&[Domain::Trip])
}

/// The statement; its rows are [`TripRow`]s.
fn query(selection: &Selection) -> Query {
    // A driver of the unknown region is one of the total who is in no known region.
    let measures = "sum(sign * started) AS started, sum(sign * completed) AS completed, \
        sum(sign * cancelled) AS cancelled, sum(sign * minutes) AS duration_minutes, \
        sum(sign * metres) AS distance_m, sum(sign * punctual) AS on_time, \
        sum(sign * earnings) AS driver_earnings, sum(sign * commission) AS platform_commission, \
        toInt64(uniqExactArrayIf(drivers, sign = 1)) - toInt64(uniqExactArrayIf(drivers, sign = -1)) AS drivers";
    FAMILY.totals(selection, measures)
}

/// The metrics that the rows tell.
fn assemble(selection: &Selection, rows: Vec<TripRow>) -> Trips {
    let (totals, time_series) =
        series::totals(selection, TripTotals::COUNTED, rows, TripTotals::of);
    Trips {
        totals,
        cells: selection.cells(TripTotals::COUNTED, &selection.whole()),
        time_series,
    }
}

impl OfUnit for TripRow {
    fn unit(&self) -> u64 {
        self.unit
    }
}

impl TripTotals {
    /// What can be opened of them.
    const COUNTED: &'static [Counted] = &[
        counted("trips_started", EventType::TripStarted),
        counted("trips_completed", EventType::TripCompleted),
        counted("trips_cancelled", EventType::TripCancelled),
        counted_as("active_drivers", What::DriversOfTrips),
    ];

    fn of(row: &TripRow) -> Self {
        let (started, completed) = (count(row.started), count(row.completed));
        Self {
            trips_started: started,
            trips_completed: completed,
            trips_cancelled: count(row.cancelled),
            completion_rate: Hundredths::percent(completed, started),
            avg_duration_minutes: Hundredths::mean(count(row.duration_minutes), 1, completed),
            avg_distance_km: Hundredths::mean(count(row.distance_m), 1000, completed),
            on_time_performance: Hundredths::percent(count(row.on_time), completed),
            total_driver_earnings: Amount::of_hundredths(row.driver_earnings),
            total_platform_commission: Amount::of_hundredths(row.platform_commission),
            active_drivers: count(row.drivers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, shown, unknown_off_grid};

    #[test]
    fn a_series_groups_the_slots_by_its_units() {
        insta::assert_snapshot!(shown(&query(&everywhere(true))));
    }

    #[test]
    fn bounds_off_the_grid_and_the_unknown_region_read_the_stored_events() {
        insta::assert_snapshot!(shown(&query(&unknown_off_grid())));
    }

    #[test]
    fn means_are_of_the_completed_trips() {
        let row = TripRow {
            completed: 3,
            duration_minutes: 100,
            distance_m: 10_000,
            on_time: 1,
            ..TripRow::default()
        };
        let json = serde_json::to_value(assemble(&everywhere(false), vec![row])).unwrap();
        assert_eq!(json["avg_duration_minutes"], 33.33);
        assert_eq!(json["avg_distance_km"], 3.33);
        assert_eq!(json["on_time_performance"], 33.33);
        assert_eq!(json["completion_rate"], serde_json::Value::Null);
    }
}
