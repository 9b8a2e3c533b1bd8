use clickhouse::Row;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    number::Hundredths,
    query::{Parameters, Query},
    selection::Selection,
    time::clamped,
};

/// What is known of a route.
#[derive(Clone, Debug, Row, Deserialize)]
pub(super) struct ProfileRow {
    #[serde(with = "clickhouse::serde::uuid")]
    pub(super) route_id: Uuid,
    pub(super) name: String,
    #[serde(with = "clickhouse::serde::uuid")]
    pub(super) driver_id: Uuid,
    pub(super) origin_city: String,
    pub(super) destination_city: String,
    /// 0 where the route's creation was not seen.
    pub(super) seats_total: u8,
}

/// The departures of a route that have passengers.
#[derive(Clone, Copy, Debug, Row, Deserialize)]
pub(super) struct OccupancyRow {
    #[serde(with = "clickhouse::serde::uuid")]
    pub(super) route_id: Uuid,
    pub(super) seats: u64,
    pub(super) departures: u64,
}

/// What is known of these routes; the rows are [`ProfileRow`]s.
pub(super) fn profiles(routes: &[Uuid]) -> Query {
    let mut parameters = Parameters::default();
    let routes = parameters.ids("routes", routes);
    parameters.into_query(format!(
        "SELECT route_id, latest AS name, created.driver_id AS driver_id, \
         created.origin_city AS origin_city, created.destination_city AS destination_city, \
         created.seats_total AS seats_total\n\
         FROM (SELECT route_id, argMaxMerge(name) AS latest, argMaxMerge(profile) AS created \
         FROM route_profiles WHERE scope = 'total' AND route_id IN {routes} GROUP BY route_id)"
    ))
}

/// The departures of these routes in the range that have a booking which is confirmed and not cancelled; the rows
/// are [`OccupancyRow`]s. A booking of the unknown region is one that is in no known region.
pub(super) fn occupancy(selection: &Selection, routes: &[Uuid]) -> Query {
    let mut parameters = Parameters::default();
    let start = parameters.time("start", clamped(selection.range.start()));
    let end = parameters.time("end", clamped(selection.range.end()));
    let routes = parameters.ids("routes", routes);
    let (rows, there) = selection.region.things(&mut parameters);
    parameters.into_query(format!(
        "SELECT route_id, sum(booked) AS seats, uniqExact(leaves_at) AS departures\n\
         FROM\n\
         (\n\
         SELECT route_id, assumeNotNull(maxIf(departure, scope = 'total') AS leaves) AS leaves_at, \
         toUInt64(maxIf(seats, scope = 'total')) AS booked\n\
         FROM booking_seats\n\
         WHERE route_id IN {routes} AND {rows}\n\
         GROUP BY route_id, booking_id\n\
         HAVING maxIf(confirmed, scope = 'total') = 1 AND maxIf(cancelled, scope = 'total') = 0 \
         AND ifNull(leaves >= {start} AND leaves < {end}, false) AND {there}\n\
         )\n\
         GROUP BY route_id"
    ))
}

impl OccupancyRow {
    /// The share of the seats of these departures that was booked.
    pub(super) fn share_of(&self, seats_total: u8) -> Option<Hundredths> {
        Hundredths::percent(self.seats, self.departures.checked_mul(seats_total.into())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, in_lagos_off_grid, shown, unknown_off_grid};

    const ROUTES: [Uuid; 2] = [Uuid::from_u128(1), Uuid::from_u128(2)];

    #[test]
    fn the_latest_name_and_the_creation_are_looked_up() {
        insta::assert_snapshot!(shown(&profiles(&ROUTES)));
    }

    #[test]
    fn departures_are_counted_over_bookings() {
        insta::assert_snapshot!("everywhere", shown(&occupancy(&everywhere(false), &ROUTES)));
        insta::assert_snapshot!("in_lagos", shown(&occupancy(&in_lagos_off_grid(), &ROUTES)));
        insta::assert_snapshot!("unknown", shown(&occupancy(&unknown_off_grid(), &ROUTES)));
    }

    #[test]
    fn occupancy_is_over_all_seats_of_the_departures() {
        let row = OccupancyRow {
            route_id: Uuid::nil(),
            seats: 5,
            departures: 3,
        };
        assert_eq!(row.share_of(4), Hundredths::percent(5, 12));
        assert_eq!(row.share_of(0), None);
    }
}
