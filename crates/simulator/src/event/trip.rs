//! Rides on the road.

use super::{Party, Point};
use uuid::Uuid;

/// A `trip.*` event.
#[derive(Debug, Clone, PartialEq)]
pub struct TripFact {
    /// `trip_id`
    pub trip: Uuid,
    /// `booking_id`
    pub booking: Uuid,
    /// `driver_id`
    pub driver: Uuid,
    /// `rider_id`
    pub rider: Uuid,
    /// `route_id`
    pub route: Uuid,
    /// What happened on the road.
    pub step: TripStep,
}

/// What can happen to a trip. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub enum TripStep {
    /// `trip.started`
    Started {
        /// `scheduled_departure`
        scheduled_departure_ms: i64,
        /// `actual_departure`
        departure_ms: i64,
        /// `start_lat`, `start_lon`
        start: Point,
        /// `passengers_count`, 1–8
        passengers: u8,
    },
    /// `trip.completed`
    Completed {
        /// `actual_departure`
        departure_ms: i64,
        /// `actual_arrival`
        arrival_ms: i64,
        /// `duration_minutes`
        duration_minutes: u32,
        /// `distance_km` in hundredths (10 m)
        distance_centi_km: u32,
        /// `end_lat`, `end_lon`
        end: Point,
        /// `driver_earnings` in kobo
        earnings_kobo: i64,
        /// `platform_commission` in kobo
        commission_kobo: i64,
        /// `on_time`
        on_time: bool,
    },
    /// `trip.cancelled`
    Cancelled {
        /// `cancelled_by`
        by: Party,
        /// `cancellation_reason`
        reason: &'static str,
        /// `was_started`
        was_started: bool,
        /// `partial_distance_km` in hundredths (10 m)
        partial_centi_km: Option<u32>,
    },
}

impl TripStep {
    pub(super) const fn event_type(&self) -> &'static str {
        match self {
            Self::Started { .. } => "trip.started",
            Self::Completed { .. } => "trip.completed",
            Self::Cancelled { .. } => "trip.cancelled",
        }
    }
}
