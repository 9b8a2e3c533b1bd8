//! Events about rides under way. None of their places decides a region: the ride has its own since it was booked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::null_as_default;
use crate::{
    BookingId, CancelledBy, Kilometres, Latitude, Longitude, Minutes, Money, RouteId, Seats, Text,
    Timestamp, TripId, UserId,
};

/// `trip.started`: the riders are in the car.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TripStarted {
    /// The ride.
    pub trip_id: TripId,
    /// The booking.
    pub booking_id: BookingId,
    /// Who drives.
    pub driver_id: UserId,
    /// Who rides and pays.
    pub rider_id: UserId,
    /// The route on which the seats are.
    pub route_id: RouteId,
    /// When it was to start.
    pub scheduled_departure: Timestamp,
    /// When it did.
    pub actual_departure: Timestamp,
    /// Latitude of the start.
    pub start_lat: Latitude,
    /// Longitude of the start.
    pub start_lon: Longitude,
    /// How many ride along.
    pub passengers_count: Seats,
}

/// `trip.completed`: the ride is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TripCompleted {
    /// The ride.
    pub trip_id: TripId,
    /// The booking.
    pub booking_id: BookingId,
    /// Who drives.
    pub driver_id: UserId,
    /// Who rides and pays.
    pub rider_id: UserId,
    /// The route on which the seats are.
    pub route_id: RouteId,
    /// When it started.
    pub actual_departure: Timestamp,
    /// When it ended.
    pub actual_arrival: Timestamp,
    /// How long it took, as the producer counts.
    pub duration_minutes: Minutes,
    /// How far it was.
    pub distance_km: Kilometres,
    /// Latitude of the end.
    pub end_lat: Latitude,
    /// Longitude of the end.
    pub end_lon: Longitude,
    /// What the driver gets, in NGN.
    pub driver_earnings: Money,
    /// What OpenRide keeps, in NGN.
    pub platform_commission: Money,
    /// Did it arrive in time?
    pub on_time: bool,
}

/// `trip.cancelled`: the ride did not take place, or not to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TripCancelled<'a> {
    /// The ride.
    pub trip_id: TripId,
    /// The booking.
    pub booking_id: BookingId,
    /// Who drives.
    pub driver_id: UserId,
    /// Who rides and pays.
    pub rider_id: UserId,
    /// The route on which the seats are.
    pub route_id: RouteId,
    /// Why, in words.
    #[serde(borrow)]
    pub cancellation_reason: Text<'a>,
    /// By whom.
    pub cancelled_by: CancelledBy,
    /// Had it begun? `false` when absent.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<bool>")]
    pub was_started: bool,
    /// How far it had come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial_distance_km: Option<Kilometres>,
}
