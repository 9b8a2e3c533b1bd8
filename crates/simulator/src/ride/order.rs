//! A booking that is about to be made.

use crate::event::Point;
use crate::world::{Geometry, Route, fare_kobo, road_speed_kmh};
use shared_schema::Region;
use uuid::Uuid;

/// Everything about a ride that is settled before chance decides how it goes.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) booked_ms: i64,
    pub(crate) rider: Uuid,
    pub(crate) driver: Uuid,
    pub(crate) route: Uuid,
    pub(crate) seats: u8,
    pub(crate) price_kobo: i64,
    pub(crate) departure_ms: i64,
    pub(crate) from: Point,
    pub(crate) to: Point,
    pub(crate) origin: Region,
    pub(crate) destination: Region,
    /// How fast the road is now, in km/h.
    pub(crate) speed_kmh: f64,
    /// How often the driver's telephone tells where it is.
    pub(crate) pings: u32,
    /// Whether the rider's telephone knows where it is; without a fix it says 0° N, 0° E.
    pub(crate) fix: bool,
}

impl Order {
    /// Seats on a departure of a route, for somebody whose telephone knows where it is.
    pub(crate) fn on(
        route: &Route,
        departure_ms: i64,
        seats: u8,
        rider: Uuid,
        booked_ms: i64,
    ) -> Self {
        let speed_kmh = road_speed_kmh(departure_ms, Geometry::kilometres(route.from, route.to));
        Self {
            booked_ms,
            rider,
            driver: route.driver,
            route: route.id,
            seats,
            price_kobo: fare_kobo(route, seats, speed_kmh),
            departure_ms,
            from: route.from,
            to: route.to,
            origin: route.origin,
            destination: route.destination,
            speed_kmh,
            pings: 0,
            fix: true,
        }
    }
}
