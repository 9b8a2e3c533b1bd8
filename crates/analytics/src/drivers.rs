//! `/metrics/drivers`
//!
#![doc = include_str!("../definitions/drivers.md")]

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    ask::Ask,
    cells::{Cells, Counted, Only, Part, counted},
    count,
    number::{Amount, Hundredths, Metres},
    query::{Parameters, Query},
    selection::Selection,
    source::{Column, Family},
    time::LocalDays,
};
use shared_schema::{Domain, EventType};

/// The drivers that earned most, and the distribution over all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Drivers {
    /// By earnings, the highest first; ties by id.
    pub drivers: Vec<Driver>,
    /// Over all drivers with a completed trip, whatever the limit.
    pub earnings_distribution: EarningsDistribution,
}

/// A driver's completed trips.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Driver {
    /// Who.
    pub driver_id: Uuid,
    /// Completed trips.
    pub total_trips: u64,
    /// What they earned.
    pub total_earnings: Amount,
    /// Earnings over trips.
    #[schema(required)]
    pub avg_earnings_per_trip: Option<Amount>,
    /// Distance of the trips.
    pub total_distance_km: Metres,
    /// Local days on which a trip was completed.
    pub active_days: u64,
    /// Share of the trips that were on time, in percent.
    #[schema(required)]
    pub on_time_rate: Option<Hundredths>,
    /// What opens the trips, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cells: Option<Cells>,
}

/// Percentiles of the drivers' earnings, interpolated linearly; `null` without drivers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct EarningsDistribution {
    /// 10th percentile.
    #[schema(required)]
    pub p10: Option<Amount>,
    /// 25th percentile.
    #[schema(required)]
    pub p25: Option<Amount>,
    /// Median.
    #[schema(required)]
    pub p50: Option<Amount>,
    /// 75th percentile.
    #[schema(required)]
    pub p75: Option<Amount>,
    /// 90th percentile.
    #[schema(required)]
    pub p90: Option<Amount>,
}

/// The one row of the answer.
#[derive(Clone, Debug, Default, Row, Deserialize)]
struct DriversRow {
    /// How many drivers there are.
    drivers: u64,
    /// The earnings at or below each percentile's place in the order of earnings.
    below: Vec<i128>,
    /// The next higher.
    above: Vec<i128>,
    /// Those that earned most.
    most: Vec<DriverRow>,
}

/// A driver of the list.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Place")]
struct DriverRow {
    driver_id: Uuid,
    trips: i64,
    earned: i128,
    distance_m: i64,
    on_time: i64,
    active_days: i64,
}

/// What a driver is sorted by, and the rest: earnings, taken from zero since the least come first, and the id as text;
/// the id, trips, metres, trips on time, and days.
type Place = (i128, String, DriverId, i64, i64, i64, i64);

#[derive(Clone, Copy, Debug, Deserialize)]
struct DriverId(#[serde(with = "clickhouse::serde::uuid")] Uuid);

impl From<Place> for DriverRow {
    fn from((negated, _, id, trips, distance_m, on_time, active_days): Place) -> Self {
        Self {
            driver_id: id.0,
            trips,
            earned: -negated,
            distance_m,
            on_time,
            active_days,
        }
    }
}

const FAMILY: Family = Family {
    slots: "driver_earning_slots",
    domain: Domain::Trip,
    event_types: "'trip.completed'",
    keys: &[Column {
        name: "driver",
        of_slot: "driver_id",
        of_events: "driver_id",
    }],
    measures: &[
        Column {
            name: "completed",
            of_slot: "trips",
            of_events: "count()",
        },
        Column {
            name: "money",
            of_slot: "earnings",
            of_events: "sum(toDecimal128(ifNull(driver_earnings, 0), 2))",
        },
        Column {
            name: "metres",
            of_slot: "distance_m",
            of_events: "sum(distance_m)",
        },
        Column {
            name: "punctual",
            of_slot: "on_time",
            of_events: "countIf(ifNull(on_time, false))",
        },
    ],
};

/// Asks for the `limit` drivers that earned most, and how earnings are spread over all.
///
/// # Errors
/// When the statement is not answered.
pub async fn ask<A: Ask>(
    store: &A,
    selection: &Selection,
    limit: u64,
) -> Result<Drivers, A::Error> {
    let row = store.row("drivers", &query(selection, limit)).await?;
    Ok(assemble(selection, row))
}

/// Counts the facts that no regional number holds yet, if a region is asked of.
#[must_use]
pub fn unsettled_facts(selection: &Selection) -> Option<Query> {
    selection.unsettled(&[Domain::Trip])
}

/// The statement; the one row is a [`DriversRow`].
fn query(selection: &Selection, limit: u64) -> Query {
    let mut parameters = Parameters::default();
    let rows = FAMILY.rows(selection, &mut parameters);
    let day =
        LocalDays::of(selection.range.span(), selection.range.zone()).number("at", &mut parameters);
    let limit = parameters.number("limit", limit);
    // Beyond the last element there is nothing to interpolate with, and nothing is needed.
    let around = |offset: u8| {
        let places = PERCENTILES.map(|percent| percent.to_string()).join(", ");
        format!(
            "arrayMap(percent -> sorted[intDiv((length(sorted) - 1) * percent, 100) + {offset}], [{places}])"
        )
    };
    // A day of the unknown region is one of the total that is in no known region. Days since 1970 fit into 16 bits, and
    // are told apart faster than longer numbers.
    let each = format!(
        "SELECT driver, sum(sign * completed) AS trips, sum(sign * money) AS earned, \
         sum(sign * metres) AS distance_m, sum(sign * punctual) AS on_time, \
         toInt64(uniqExactIf(day, sign = 1)) - toInt64(uniqExactIf(day, sign = -1)) AS active_days\n\
         FROM (SELECT *, toUInt16({day}) AS day FROM\n\
         (\n\
         {rows}\n\
         ))\n\
         GROUP BY driver\n\
         HAVING trips > 0"
    );
    let sql = format!(
        "SELECT length(sorted) AS drivers, {} AS below, {} AS above, most\n\
         FROM (SELECT arraySort(groupArray(earned)) AS sorted, groupArraySorted({limit})((-earned, \
         toString(driver), driver, trips, distance_m, on_time, active_days)) AS most FROM\n\
         (\n\
         {each}\n\
         ))",
        around(1),
        around(2),
    );
    parameters.into_query(sql)
}

const PERCENTILES: [u8; 5] = [10, 25, 50, 75, 90];

/// The metrics that the row tells.
fn assemble(selection: &Selection, row: DriversRow) -> Drivers {
    let [p10, p25, p50, p75, p90] = percentiles(&row);
    Drivers {
        drivers: row
            .most
            .into_iter()
            .map(|row| Driver::of(selection, row))
            .collect(),
        earnings_distribution: EarningsDistribution {
            p10,
            p25,
            p50,
            p75,
            p90,
        },
    }
}

impl Driver {
    /// What can be opened of one.
    const COUNTED: &'static [Counted] = &[counted("total_trips", EventType::TripCompleted)];

    fn of(selection: &Selection, row: DriverRow) -> Self {
        let trips = count(row.trips);
        let earned = Amount::of_hundredths(row.earned);
        Self {
            driver_id: row.driver_id,
            total_trips: trips,
            total_earnings: earned,
            avg_earnings_per_trip: earned.each(trips),
            total_distance_km: Metres::new(count(row.distance_m)),
            active_days: count(row.active_days),
            on_time_rate: Hundredths::percent(count(row.on_time), trips),
            cells: selection.cells(
                Self::COUNTED,
                &Part {
                    only: Some(Only::Driver(row.driver_id)),
                    ..selection.whole()
                },
            ),
        }
    }
}

fn percentiles(row: &DriversRow) -> [Option<Amount>; PERCENTILES.len()] {
    let mut neighbours = row.below.iter().zip(&row.above);
    PERCENTILES.map(|percent| {
        let (below, above) = neighbours.next()?;
        let place = row.drivers.checked_sub(1)?.checked_mul(percent.into())?;
        let way = u8::try_from(place % 100).ok()?;
        let (below, above) = (Amount::of_hundredths(*below), Amount::of_hundredths(*above));
        if way == 0 {
            Some(below)
        } else {
            Amount::between(below, above, way)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, shown, unknown_off_grid};

    #[test]
    fn the_list_is_ordered_and_cut_by_the_server() {
        insta::assert_snapshot!(shown(&query(&everywhere(false), 100)));
    }

    #[test]
    fn bounds_off_the_grid_and_the_unknown_region_read_the_stored_events() {
        insta::assert_snapshot!(shown(&query(&unknown_off_grid(), 5)));
    }

    #[test]
    fn a_driver_is_told_by_the_places_of_its_row() {
        let id = Uuid::from_u128(7);
        let place = (-10_000, id.to_string(), DriverId(id), 4, 12_345, 3, 2);
        let driver = Driver::of(&everywhere(false), place.into());
        assert_eq!(
            serde_json::to_value(driver).unwrap(),
            serde_json::json!({
                "driver_id": id, "total_trips": 4, "total_earnings": "100.00", "avg_earnings_per_trip": "25.00",
                "total_distance_km": 12.345, "active_days": 2, "on_time_rate": 75.0
            })
        );
    }

    #[test]
    fn percentiles_lie_between_neighbours() {
        // Earnings 1.00, 2.00, 4.00.
        let row = DriversRow {
            drivers: 3,
            below: vec![100, 100, 200, 200, 200],
            above: vec![200, 200, 400, 400, 400],
            ..DriversRow::default()
        };
        let json = serde_json::to_value(assemble(&everywhere(false), row)).unwrap();
        assert_eq!(
            json["earnings_distribution"],
            serde_json::json!({"p10": "1.20", "p25": "1.50", "p50": "2.00", "p75": "3.00", "p90": "3.60"})
        );
    }

    #[test]
    fn without_drivers_there_is_no_distribution() {
        let row = DriversRow {
            drivers: 0,
            below: vec![0; 5],
            above: vec![0; 5],
            ..DriversRow::default()
        };
        assert_eq!(
            assemble(&everywhere(false), row).earnings_distribution,
            EarningsDistribution::default()
        );
    }
}
