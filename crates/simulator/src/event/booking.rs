//! Seats that riders reserve.

use super::Point;
use shared_schema::Region;
use uuid::Uuid;

/// A `booking.*` event.
#[derive(Debug, Clone, PartialEq)]
pub struct BookingFact {
    /// `booking_id`
    pub booking: Uuid,
    /// `rider_id`
    pub rider: Uuid,
    /// `driver_id`
    pub driver: Uuid,
    /// `route_id`
    pub route: Uuid,
    /// What happened to the booking.
    pub step: BookingStep,
}

/// What can happen to a booking.
#[derive(Debug, Clone, PartialEq)]
pub enum BookingStep {
    /// `booking.created`
    Created {
        /// `seats_booked`, 1–8
        seats: u8,
        /// `total_price` in kobo
        total_price_kobo: i64,
        /// `pickup_stop_id`
        pickup_stop: Uuid,
        /// `dropoff_stop_id`
        dropoff_stop: Uuid,
        /// `pickup_lat`, `pickup_lon`
        pickup: Point,
        /// `dropoff_lat`, `dropoff_lon`
        dropoff: Point,
        /// Where the pick-up point lies, `UNKNOWN` when far from every city.
        pickup_region: Region,
        /// `scheduled_departure`, milliseconds since 1970
        scheduled_departure_ms: i64,
    },
    /// `booking.confirmed`
    Confirmed {
        /// `seats_booked`, 1–8
        seats: u8,
        /// `total_price` in kobo
        total_price_kobo: i64,
        /// `payment_id`
        payment: Uuid,
        /// `confirmation_code`, as a number
        code: u32,
    },
    /// `booking.cancelled`
    Cancelled {
        /// `cancelled_by`
        by: Party,
        /// `cancellation_reason`
        reason: Option<&'static str>,
        /// `refund_initiated`
        refund: bool,
    },
    /// `booking.completed`
    Completed {
        /// `trip_id`
        trip: Uuid,
        /// `seats_booked`, 1–8
        seats: u8,
        /// `total_price` in kobo
        total_price_kobo: i64,
        /// `actual_departure`, milliseconds since 1970
        departure_ms: i64,
        /// `actual_arrival`, milliseconds since 1970
        arrival_ms: i64,
        /// `duration_minutes`
        duration_minutes: u32,
    },
}

/// Who called a booking or a trip off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// The passenger.
    Rider,
    /// The driver.
    Driver,
    /// OpenRide itself, for instance for want of a payment.
    System,
}

impl Party {
    /// As written on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rider => "RIDER",
            Self::Driver => "DRIVER",
            Self::System => "SYSTEM",
        }
    }
}

impl BookingStep {
    pub(super) const fn event_type(&self) -> &'static str {
        match self {
            Self::Created { .. } => "booking.created",
            Self::Confirmed { .. } => "booking.confirmed",
            Self::Cancelled { .. } => "booking.cancelled",
            Self::Completed { .. } => "booking.completed",
        }
    }
}
