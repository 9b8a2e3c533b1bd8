//! `booking.*` on the wire.

use super::object::Object;
use crate::event::{BookingFact, BookingStep};

pub(super) fn booking(object: &mut Object<'_>, fact: &BookingFact) {
    object.id("booking_id", fact.booking);
    object.id("rider_id", fact.rider);
    object.id("driver_id", fact.driver);
    object.id("route_id", fact.route);
    match &fact.step {
        BookingStep::Created { .. } => created(object, &fact.step),
        BookingStep::Confirmed {
            seats,
            total_price_kobo,
            payment,
            code,
        } => {
            object.whole("seats_booked", *seats);
            object.money("total_price", *total_price_kobo);
            object.id("payment_id", *payment);
            object.shown("confirmation_code", format_args!("OR-{code:08X}"));
        }
        BookingStep::Cancelled { by, reason, refund } => {
            object.optional_text("cancellation_reason", *reason);
            object.text("cancelled_by", by.as_str());
            if *refund || object.style.defaults {
                object.flag("refund_initiated", *refund);
            }
        }
        BookingStep::Completed {
            trip,
            seats,
            total_price_kobo,
            departure_ms,
            arrival_ms,
            duration_minutes,
        } => {
            object.id("trip_id", *trip);
            object.whole("seats_booked", *seats);
            object.money("total_price", *total_price_kobo);
            object.time("actual_departure", *departure_ms);
            object.time("actual_arrival", *arrival_ms);
            object.whole("duration_minutes", *duration_minutes);
        }
    }
}

fn created(object: &mut Object<'_>, step: &BookingStep) {
    if let BookingStep::Created {
        seats,
        total_price_kobo,
        pickup_stop,
        dropoff_stop,
        pickup,
        dropoff,
        scheduled_departure_ms,
        ..
    } = step
    {
        object.whole("seats_booked", *seats);
        object.money("total_price", *total_price_kobo);
        object.default_text("booking_status", "PENDING");
        object.id("pickup_stop_id", *pickup_stop);
        object.id("dropoff_stop_id", *dropoff_stop);
        object.point("pickup_lat", "pickup_lon", *pickup);
        object.point("dropoff_lat", "dropoff_lon", *dropoff);
        object.time("scheduled_departure", *scheduled_departure_ms);
    }
}
