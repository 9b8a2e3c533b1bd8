//! Events about bookings of seats.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::null_as_default;
use crate::{
    BookingId, BookingStatus, CancelledBy, Latitude, Longitude, Minutes, Money, PaymentId, RouteId,
    Seats, StopId, Text, Timestamp, TripId, UserId,
};

/// `booking.created`: a rider wants seats. The pick-up point gives the whole ride its region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BookingCreated {
    /// The booking.
    pub booking_id: BookingId,
    /// Who rides and pays.
    pub rider_id: UserId,
    /// Who drives.
    pub driver_id: UserId,
    /// The route on which the seats are.
    pub route_id: RouteId,
    /// How many seats.
    pub seats_booked: Seats,
    /// Price of all the seats, in NGN.
    pub total_price: Money,
    /// Always PENDING.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<BookingStatus>")]
    pub booking_status: BookingStatus,
    /// Where the rider gets in.
    pub pickup_stop_id: StopId,
    /// Where the rider gets out.
    pub dropoff_stop_id: StopId,
    /// Latitude of the pick-up.
    pub pickup_lat: Latitude,
    /// Longitude of the pick-up.
    pub pickup_lon: Longitude,
    /// Latitude of the drop-off.
    pub dropoff_lat: Latitude,
    /// Longitude of the drop-off.
    pub dropoff_lon: Longitude,
    /// When the ride is to start.
    pub scheduled_departure: Timestamp,
}

/// `booking.confirmed`: the seats are the rider's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BookingConfirmed<'a> {
    /// The booking.
    pub booking_id: BookingId,
    /// Who rides and pays.
    pub rider_id: UserId,
    /// Who drives.
    pub driver_id: UserId,
    /// The route on which the seats are.
    pub route_id: RouteId,
    /// How many seats.
    pub seats_booked: Seats,
    /// Price of all the seats, in NGN.
    pub total_price: Money,
    /// What paid for them.
    pub payment_id: PaymentId,
    /// What the rider shows to the driver.
    #[serde(borrow)]
    pub confirmation_code: Text<'a>,
}

/// `booking.cancelled`: the seats are free again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BookingCancelled<'a> {
    /// The booking.
    pub booking_id: BookingId,
    /// Who rides and pays.
    pub rider_id: UserId,
    /// Who drives.
    pub driver_id: UserId,
    /// The route on which the seats are.
    pub route_id: RouteId,
    /// Why, in words.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub cancellation_reason: Option<Text<'a>>,
    /// By whom.
    pub cancelled_by: CancelledBy,
    /// Is money on its way back? `false` when absent.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<bool>")]
    pub refund_initiated: bool,
}

/// `booking.completed`: the ride has been taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BookingCompleted {
    /// The booking.
    pub booking_id: BookingId,
    /// Who rides and pays.
    pub rider_id: UserId,
    /// Who drives.
    pub driver_id: UserId,
    /// The route on which the seats are.
    pub route_id: RouteId,
    /// The ride.
    pub trip_id: TripId,
    /// How many seats.
    pub seats_booked: Seats,
    /// Price of all the seats, in NGN.
    pub total_price: Money,
    /// When the ride started.
    pub actual_departure: Timestamp,
    /// When it ended.
    pub actual_arrival: Timestamp,
    /// How long it took, as the producer counts.
    pub duration_minutes: Minutes,
}
