//! Events about what drivers offer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::null_as_default;
use crate::{
    ActiveDays, Count, LocalTime, Money, NewStatus, PreviousStatus, RouteId, Seats, Text, UserId,
};

/// `route.created`: a driver offers seats. Its origin is the region of the route's events, and of a
/// ride whose pick-up is not known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteCreated<'a> {
    /// The route.
    pub route_id: RouteId,
    /// Who drives.
    pub driver_id: UserId,
    /// What riders read.
    #[serde(borrow)]
    pub route_name: Text<'a>,
    /// Where it begins.
    #[serde(borrow)]
    pub origin_city: Text<'a>,
    /// Where it ends.
    #[serde(borrow)]
    pub destination_city: Text<'a>,
    /// The state where it begins.
    #[serde(borrow)]
    pub origin_state: Text<'a>,
    /// The state where it ends.
    #[serde(borrow)]
    pub destination_state: Text<'a>,
    /// How many stops it has.
    pub stops_count: Count,
    /// How many seats each departure has.
    pub seats_total: Seats,
    /// Price of a seat, in NGN.
    pub base_price: Money,
    /// When it leaves, by the local clock.
    pub departure_time: LocalTime,
    /// On which days it runs.
    pub active_days: ActiveDays,
}

/// `route.activated`: the route runs again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteActivated<'a> {
    /// The route.
    pub route_id: RouteId,
    /// Who drives.
    pub driver_id: UserId,
    /// What riders read.
    #[serde(borrow)]
    pub route_name: Text<'a>,
    /// The status before.
    #[serde(borrow, default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<PreviousStatus<'a>>")]
    pub previous_status: PreviousStatus<'a>,
    /// The status now.
    #[serde(borrow, default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<NewStatus<'a>>")]
    pub new_status: NewStatus<'a>,
}

/// `route.cancelled`: the route runs no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteCancelled<'a> {
    /// The route.
    pub route_id: RouteId,
    /// Who drives.
    pub driver_id: UserId,
    /// What riders read.
    #[serde(borrow)]
    pub route_name: Text<'a>,
    /// Why, in words.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub cancellation_reason: Option<Text<'a>>,
    /// How many bookings it still had; 0 when absent.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<Count>")]
    pub active_bookings_count: Count,
}

/// `route.updated`: something about the route is different.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteUpdated<'a> {
    /// The route.
    pub route_id: RouteId,
    /// Who drives.
    pub driver_id: UserId,
    /// What riders read.
    #[serde(borrow)]
    pub route_name: Text<'a>,
    /// Names of the fields that are different.
    #[serde(borrow)]
    pub updated_fields: Vec<Text<'a>>,
}
