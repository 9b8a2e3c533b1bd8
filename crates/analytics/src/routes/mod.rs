//! `/metrics/routes`
//!
#![doc = include_str!("../../definitions/routes.md")]

mod details;

use std::collections::HashMap;

use clickhouse::Row;
use futures::try_join;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use self::details::{OccupancyRow, ProfileRow, occupancy, profiles};
use crate::{
    ask::Ask,
    cells::{Cells, Counted, Only, Part, counted},
    count,
    number::{Amount, Hundredths},
    query::{Parameters, Query},
    selection::Selection,
    source::{Column, Family},
};
use shared_schema::{Domain, EventType};

/// The routes with the most confirmed bookings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Routes {
    /// By confirmed bookings, the most first; ties by id.
    pub routes: Vec<Route>,
}

/// A route and its confirmed bookings. What only its creation tells is `null` until that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Route {
    /// Which route.
    pub route_id: Uuid,
    /// Its latest name.
    #[schema(required)]
    pub route_name: Option<String>,
    /// Where it begins.
    #[schema(required)]
    pub origin_city: Option<String>,
    /// Where it ends.
    #[schema(required)]
    pub destination_city: Option<String>,
    /// Who drives it.
    #[schema(required)]
    pub driver_id: Option<Uuid>,
    /// Bookings confirmed in the range.
    pub total_bookings: u64,
    /// The sum of their prices.
    pub total_revenue: Amount,
    /// Seats booked over seats offered, in percent, of the departures in the range that have a booking which is
    /// confirmed and not cancelled.
    #[schema(required)]
    pub avg_occupancy: Option<Hundredths>,
    /// Seats of a departure.
    #[schema(required)]
    pub seats_total: Option<u8>,
    /// What opens the bookings, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cells: Option<Cells>,
}

/// A row of the list.
#[derive(Clone, Debug, Row, Deserialize)]
struct RouteRow {
    /// Which route.
    #[serde(with = "clickhouse::serde::uuid")]
    pub route_id: Uuid,
    confirmed: i64,
    revenue: i128,
}

const FAMILY: Family = Family {
    slots: "route_booking_slots",
    domain: Domain::Booking,
    event_types: "'booking.confirmed'",
    keys: &[Column {
        name: "route",
        of_slot: "route_id",
        of_events: "route_id",
    }],
    measures: &[
        Column {
            name: "bookings",
            of_slot: "bookings",
            of_events: "count()",
        },
        Column {
            name: "price",
            of_slot: "revenue",
            of_events: "sum(toDecimal128(ifNull(total_price, 0), 2))",
        },
    ],
};

/// Asks for the `limit` routes with the most confirmed bookings, then what is known of the routes on the list.
///
/// # Errors
/// When a statement is not answered.
pub async fn ask<A: Ask>(store: &A, selection: &Selection, limit: u64) -> Result<Routes, A::Error> {
    let rows: Vec<RouteRow> = store.rows("routes", &query(selection, limit)).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.route_id).collect();
    let (profiles, occupancy) = (profiles(&ids), occupancy(selection, &ids));
    let (profiles, occupancy) = try_join!(
        store.rows("routes: profiles", &profiles),
        store.rows("routes: occupancy", &occupancy),
    )?;
    Ok(assemble(selection, rows, profiles, occupancy))
}

/// Counts the facts that no regional number holds yet, if a region is asked of.
#[must_use]
pub fn unsettled_facts(selection: &Selection) -> Option<Query> {
    selection.unsettled(&[Domain::Booking])
}

/// The statement; its rows are [`RouteRow`]s.
fn query(selection: &Selection, limit: u64) -> Query {
    let mut parameters = Parameters::default();
    let rows = FAMILY.rows(selection, &mut parameters);
    let limit = parameters.number("limit", limit);
    parameters.into_query(format!(
        "SELECT route AS route_id, sum(sign * bookings) AS confirmed, sum(sign * price) AS revenue\n\
         FROM\n\
         (\n\
         {rows}\n\
         )\n\
         GROUP BY route\n\
         HAVING confirmed > 0\n\
         ORDER BY confirmed DESC, toString(route)\n\
         LIMIT {limit}"
    ))
}

/// The metrics that the rows tell.
fn assemble(
    selection: &Selection,
    rows: Vec<RouteRow>,
    profiles: Vec<ProfileRow>,
    occupancy: Vec<OccupancyRow>,
) -> Routes {
    let profiles: HashMap<Uuid, ProfileRow> = profiles
        .into_iter()
        .map(|row| (row.route_id, row))
        .collect();
    let sold: HashMap<Uuid, OccupancyRow> = occupancy
        .into_iter()
        .map(|row| (row.route_id, row))
        .collect();
    let routes = rows.into_iter().map(|row| {
        let id = row.route_id;
        Route::of(selection, row, profiles.get(&id), sold.get(&id))
    });
    Routes {
        routes: routes.collect(),
    }
}

impl Route {
    /// What can be opened of one.
    const COUNTED: &'static [Counted] = &[counted("total_bookings", EventType::BookingConfirmed)];

    fn of(
        selection: &Selection,
        row: RouteRow,
        profile: Option<&ProfileRow>,
        sold: Option<&OccupancyRow>,
    ) -> Self {
        let part = Part {
            only: Some(Only::Route(row.route_id)),
            ..selection.whole()
        };
        let created = profile.filter(|profile| profile.seats_total > 0);
        let seats_total = created.map(|profile| profile.seats_total);
        Self {
            route_id: row.route_id,
            route_name: profile
                .map(|profile| profile.name.clone())
                .filter(|name| !name.is_empty()),
            origin_city: created.map(|profile| profile.origin_city.clone()),
            destination_city: created.map(|profile| profile.destination_city.clone()),
            driver_id: created.map(|profile| profile.driver_id),
            total_bookings: count(row.confirmed),
            total_revenue: Amount::of_hundredths(row.revenue),
            avg_occupancy: sold
                .zip(seats_total)
                .and_then(|(sold, seats)| sold.share_of(seats)),
            seats_total,
            cells: selection.cells(Self::COUNTED, &part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, shown, unknown_off_grid};

    #[test]
    fn the_list_is_ordered_and_cut_by_the_server() {
        insta::assert_snapshot!(shown(&query(&everywhere(false), 50)));
    }

    #[test]
    fn bounds_off_the_grid_and_the_unknown_region_read_the_stored_events() {
        insta::assert_snapshot!(shown(&query(&unknown_off_grid(), 50)));
    }

    #[test]
    fn what_only_the_creation_tells_is_null_without_it() {
        let row = RouteRow {
            route_id: Uuid::from_u128(1),
            confirmed: 2,
            revenue: 600_000,
        };
        let json = serde_json::to_value(assemble(
            &everywhere(false),
            vec![row],
            Vec::new(),
            Vec::new(),
        ))
        .unwrap();
        let route = &json["routes"][0];
        assert_eq!(route["total_revenue"], "6000.00");
        for field in [
            "route_name",
            "origin_city",
            "destination_city",
            "driver_id",
            "avg_occupancy",
            "seats_total",
        ] {
            assert_eq!(route[field], serde_json::Value::Null, "{field}");
        }
    }
}
