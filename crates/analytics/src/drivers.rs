//! `/metrics/drivers`: the drivers that earned most with the trips completed in the range, and how earnings are
//! spread over all of them.

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    count,
    number::{Amount, Hundredths, Metres},
    query::{Parameters, Query},
    selection::Selection,
    source::{Column, Family},
    time::LocalDays,
};
use shared_schema::Domain;

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
    pub avg_earnings_per_trip: Option<Amount>,
    /// Distance of the trips.
    pub total_distance_km: Metres,
    /// Local days on which a trip was completed.
    pub active_days: u64,
    /// Share of the trips that were on time, in percent.
    pub on_time_rate: Option<Hundredths>,
}

/// Percentiles of the drivers' earnings, interpolated linearly; `null` without drivers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct EarningsDistribution {
    /// 10th percentile.
    pub p10: Option<Amount>,
    /// 25th percentile.
    pub p25: Option<Amount>,
    /// Median.
    pub p50: Option<Amount>,
    /// 75th percentile.
    pub p75: Option<Amount>,
    /// 90th percentile.
    pub p90: Option<Amount>,
}

/// A row of the list.
#[derive(Clone, Debug, Row, Deserialize)]
pub struct DriverRow {
    #[serde(with = "clickhouse::serde::uuid")]
    driver_id: Uuid,
    trips: i64,
    earned: i128,
    distance_m: i64,
    on_time: i64,
    active_days: i64,
}

/// How many drivers there are, and the earnings around each percentile.
#[derive(Clone, Debug, Default, Row, Deserialize)]
pub struct DistributionRow {
    drivers: u64,
    /// The earnings at or below the percentile's place in the order of earnings.
    below: Vec<i128>,
    /// The next higher.
    above: Vec<i128>,
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

/// The `limit` drivers that earned most; the rows are [`DriverRow`]s.
#[must_use]
pub fn query(selection: &Selection, limit: u64) -> Query {
    let mut parameters = Parameters::default();
    let rows = FAMILY.rows(selection, &mut parameters);
    let day = LocalDays::of(&selection.range).number("at", &mut parameters);
    let limit = parameters.number("limit", limit);
    // A day of the unknown region is one of the total that is in no known region.
    let sql = format!(
        "SELECT driver AS driver_id, sum(sign * completed) AS trips, sum(sign * money) AS earned, sum(sign * metres) AS distance_m, sum(sign * punctual) AS on_time, toInt64(uniqExactIf(day, sign = 1)) - toInt64(uniqExactIf(day, sign = -1)) AS active_days\nFROM (SELECT *, {day} AS day FROM\n(\n{rows}\n))\nGROUP BY driver\nHAVING trips > 0\nORDER BY earned DESC, toString(driver)\nLIMIT {limit}"
    );
    parameters.into_query(sql)
}

/// The distribution over all drivers; the one row is a [`DistributionRow`].
#[must_use]
pub fn distribution(selection: &Selection) -> Query {
    let mut parameters = Parameters::default();
    let rows = FAMILY.rows(selection, &mut parameters);
    // Beyond the last element there is nothing to interpolate with, and nothing is needed.
    let around = |offset: u8| {
        let places = PERCENTILES.map(|percent| percent.to_string()).join(", ");
        format!(
            "arrayMap(percent -> sorted[intDiv((length(sorted) - 1) * percent, 100) + {offset}], [{places}])"
        )
    };
    let sql = format!(
        "SELECT length(sorted) AS drivers, {} AS below, {} AS above\nFROM (SELECT arraySort(groupArray(earned)) AS sorted FROM (SELECT sum(sign * money) AS earned FROM\n(\n{rows}\n)\nGROUP BY driver\nHAVING sum(sign * completed) > 0))",
        around(1),
        around(2),
    );
    parameters.into_query(sql)
}

const PERCENTILES: [u8; 5] = [10, 25, 50, 75, 90];

/// The metrics that the rows tell.
#[must_use]
pub fn assemble(rows: Vec<DriverRow>, distribution: &DistributionRow) -> Drivers {
    let [p10, p25, p50, p75, p90] = percentiles(distribution);
    Drivers {
        drivers: rows.into_iter().map(Driver::of).collect(),
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
    fn of(row: DriverRow) -> Self {
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
        }
    }
}

fn percentiles(row: &DistributionRow) -> [Option<Amount>; PERCENTILES.len()] {
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
    fn the_distribution_is_over_all_drivers() {
        insta::assert_snapshot!(shown(&distribution(&everywhere(false))));
    }

    #[test]
    fn percentiles_lie_between_neighbours() {
        // Earnings 1.00, 2.00, 4.00.
        let row = DistributionRow {
            drivers: 3,
            below: vec![100, 100, 200, 200, 200],
            above: vec![200, 200, 400, 400, 400],
        };
        let json = serde_json::to_value(assemble(Vec::new(), &row)).unwrap();
        assert_eq!(
            json["earnings_distribution"],
            serde_json::json!({"p10": "1.20", "p25": "1.50", "p50": "2.00", "p75": "3.00", "p90": "3.60"})
        );
    }

    #[test]
    fn without_drivers_there_is_no_distribution() {
        let row = DistributionRow {
            drivers: 0,
            below: vec![0; 5],
            above: vec![0; 5],
        };
        assert_eq!(
            assemble(Vec::new(), &row).earnings_distribution,
            EarningsDistribution::default()
        );
    }
}
