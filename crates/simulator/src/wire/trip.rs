//! `trip.*` on the wire.

use super::object::Object;
use crate::event::{TripFact, TripStep};

pub(super) fn trip(object: &mut Object<'_>, fact: &TripFact) {
    object.id("trip_id", fact.trip);
    object.id("booking_id", fact.booking);
    object.id("driver_id", fact.driver);
    object.id("rider_id", fact.rider);
    object.id("route_id", fact.route);
    match &fact.step {
        TripStep::Started {
            scheduled_departure_ms,
            departure_ms,
            start,
            passengers,
        } => {
            object.time("scheduled_departure", *scheduled_departure_ms);
            object.time("actual_departure", *departure_ms);
            object.point("start_lat", "start_lon", *start);
            object.whole("passengers_count", *passengers);
        }
        TripStep::Completed { .. } => completed(object, &fact.step),
        TripStep::Cancelled {
            by,
            reason,
            was_started,
            partial_centi_km,
        } => {
            object.text("cancellation_reason", reason);
            object.text("cancelled_by", by.as_str());
            if *was_started || object.style.defaults {
                object.flag("was_started", *was_started);
            }
            match partial_centi_km {
                Some(distance) => object.hundredths("partial_distance_km", *distance),
                None => object.unset("partial_distance_km"),
            }
        }
    }
}

fn completed(object: &mut Object<'_>, step: &TripStep) {
    if let TripStep::Completed {
        departure_ms,
        arrival_ms,
        duration_minutes,
        distance_centi_km,
        end,
        earnings_kobo,
        commission_kobo,
        on_time,
    } = step
    {
        object.time("actual_departure", *departure_ms);
        object.time("actual_arrival", *arrival_ms);
        object.whole("duration_minutes", *duration_minutes);
        object.hundredths("distance_km", *distance_centi_km);
        object.point("end_lat", "end_lon", *end);
        object.money("driver_earnings", *earnings_kobo);
        object.money("platform_commission", *commission_kobo);
        object.flag("on_time", *on_time);
    }
}
