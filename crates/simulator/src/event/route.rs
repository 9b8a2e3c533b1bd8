//! Routes that drivers publish.

use shared_schema::Region;
use std::sync::Arc;
use uuid::Uuid;

/// A `route.*` event.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteFact {
    /// `route_id`
    pub route: Uuid,
    /// `driver_id`
    pub driver: Uuid,
    /// `route_name`
    pub name: Arc<str>,
    /// What happened to the route.
    pub step: RouteStep,
}

/// What can happen to a route.
#[derive(Debug, Clone, PartialEq)]
pub enum RouteStep {
    /// `route.created`
    Created {
        /// `origin_state`, `origin_city`
        origin: Region,
        /// `destination_state`, `destination_city`
        destination: Region,
        /// `stops_count`
        stops: u8,
        /// `seats_total`, 1–8
        seats_total: u8,
        /// `base_price` of a seat, in kobo
        base_price_kobo: i64,
        /// `departure_time`, seconds after local midnight
        departure_second: u32,
        /// `active_days`, bit 0 is Monday
        active_days: u8,
    },
    /// `route.activated`
    Activated,
    /// `route.cancelled`
    Cancelled {
        /// `cancellation_reason`
        reason: Option<&'static str>,
        /// `active_bookings_count`
        active_bookings: u32,
    },
    /// `route.updated`
    Updated {
        /// `updated_fields`
        fields: &'static [&'static str],
    },
}

impl RouteStep {
    pub(super) const fn event_type(&self) -> &'static str {
        match self {
            Self::Created { .. } => "route.created",
            Self::Activated => "route.activated",
            Self::Cancelled { .. } => "route.cancelled",
            Self::Updated { .. } => "route.updated",
        }
    }
}
