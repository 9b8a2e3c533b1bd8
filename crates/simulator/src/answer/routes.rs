//! `/metrics/routes`

use super::AnswerKey;
use super::exact::{Amount, Hundredths, quotient};
use super::numbering::place;
use super::question::Question;
use super::rows::{BookingKind, Number};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::HashMap;
use uuid::Uuid;

/// The routes with the most confirmed bookings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct RouteMetrics {
    pub routes: Vec<RouteRow>,
}

/// A route and its confirmed bookings. What only `route.created` tells is `null` where that was never seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct RouteRow {
    pub route_id: Uuid,
    pub route_name: Option<String>,
    pub origin_city: Option<&'static str>,
    pub destination_city: Option<&'static str>,
    pub driver_id: Option<Uuid>,
    pub total_bookings: u64,
    pub total_revenue: Amount,
    pub avg_occupancy: Option<Hundredths>,
    pub seats_total: Option<u8>,
}

#[derive(Debug, Default)]
struct Confirmed {
    bookings: u64,
    kobo: i64,
}

/// Seats sold by departure, of one route.
type Departures = HashMap<i64, u64>;

impl AnswerKey {
    /// The `limit` routes with the most confirmed bookings, ties by the text of their ids.
    #[must_use]
    pub fn routes(&self, question: &Question, limit: usize) -> RouteMetrics {
        let departures = self.departures(question);
        let mut routes: Vec<RouteRow> = self
            .confirmed_by_route(question)
            .iter()
            .filter_map(|(route, confirmed)| {
                self.route_row(*route, confirmed, departures.get(route))
            })
            .collect();
        routes.sort_unstable_by_key(|row| (Reverse(row.total_bookings), row.route_id));
        routes.truncate(limit);
        RouteMetrics { routes }
    }

    fn confirmed_by_route(&self, question: &Question) -> HashMap<Number, Confirmed> {
        let mut routes = HashMap::<Number, Confirmed>::new();
        for row in self
            .bookings
            .iter()
            .filter(|row| question.range.contains(row.stamp.at_ms))
        {
            let route = self
                .rides
                .get(place(row.booking))
                .and_then(|ride| ride.route)
                .map(|named| named.route);
            let (BookingKind::Confirmed { price_kobo }, Some(route)) = (row.kind, route) else {
                continue;
            };
            if question.region.admits(self.ride_region(row.booking)) {
                let confirmed = routes.entry(route).or_default();
                confirmed.bookings += 1;
                confirmed.kobo += price_kobo;
            }
        }
        routes
    }

    /// Departures in the range with a booking that is confirmed and not cancelled, and the seats of those.
    fn departures(&self, question: &Question) -> HashMap<Number, Departures> {
        let mut routes = HashMap::<Number, Departures>::new();
        for (booking, ride) in (0..).zip(&self.rides) {
            let (Some((departure_ms, seats)), Some(named)) = (ride.departure, ride.route) else {
                continue;
            };
            let sold = ride.confirmed && !ride.cancelled && question.range.contains(departure_ms);
            if sold && question.region.admits(self.ride_region(booking)) {
                *routes
                    .entry(named.route)
                    .or_default()
                    .entry(departure_ms)
                    .or_default() += u64::from(seats);
            }
        }
        routes
    }

    fn route_row(
        &self,
        number: Number,
        confirmed: &Confirmed,
        sold: Option<&Departures>,
    ) -> Option<RouteRow> {
        let route = self.routes.get(place(number)).cloned().unwrap_or_default();
        let city = |region| self.region(Some(region)).city;
        Some(RouteRow {
            route_id: self.route_ids.thing(number)?,
            route_name: route.name.as_deref().map(str::to_owned),
            origin_city: route.created.map(|created| city(created.origin)),
            destination_city: route.created.map(|created| city(created.destination)),
            driver_id: route
                .created
                .and_then(|created| self.user_ids.thing(created.driver)),
            total_bookings: confirmed.bookings,
            total_revenue: Amount(confirmed.kobo),
            avg_occupancy: route
                .created
                .and_then(|created| occupancy(sold?, created.seats_total)),
            seats_total: route.created.map(|created| created.seats_total),
        })
    }
}

fn occupancy(sold: &Departures, seats_total: u8) -> Option<Hundredths> {
    let seats: u64 = sold.values().sum();
    let offered = sold.len() as u64 * u64::from(seats_total);
    quotient(i128::from(seats) * 10_000, offered.into()).map(Hundredths)
}
