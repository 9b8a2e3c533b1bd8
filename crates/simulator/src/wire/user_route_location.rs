//! `user.*`, `route.*` and `driver.location.updated` on the wire.

use super::object::Object;
use crate::event::{Ping, Registration, RouteFact, RouteStep, UserFact, UserStep};

pub(super) fn user(object: &mut Object<'_>, fact: &UserFact) {
    object.id("user_id", fact.user);
    match &fact.step {
        UserStep::Registered(registration) => registered(object, registration),
        UserStep::KycDecided { verified, by } => {
            object.text(
                "kyc_status",
                if *verified { "VERIFIED" } else { "REJECTED" },
            );
            let notes = (!verified).then_some("the photo of the document is blurred");
            object.optional_text("verification_notes", notes);
            match by {
                Some(clerk) => object.id("verified_by", *clerk),
                None => object.unset("verified_by"),
            }
        }
        UserStep::Upgraded => {
            object.default_text("previous_role", "RIDER");
            object.default_text("new_role", "DRIVER");
        }
    }
}

fn registered(object: &mut Object<'_>, user: &Registration) {
    object.shown("phone", format_args!("+234{:010}", user.phone));
    object.text("role", user.role.as_str());
    match user.name {
        Some((first, last)) => {
            object.shown("full_name", format_args!("{first} {last}"));
            if user.has_email {
                object.shown(
                    "email",
                    format_args!("{first}.{last}{}@example.ng", user.phone % 10_000),
                );
            }
        }
        None => object.unset("full_name"),
    }
    object.optional_text("city", user.city);
    object.optional_text("state", user.state);
    match user.referral {
        Some(code) => object.shown("referral_code", format_args!("REF-{code:06}")),
        None => object.unset("referral_code"),
    }
}

const DAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

pub(super) fn route(object: &mut Object<'_>, fact: &RouteFact) {
    object.id("route_id", fact.route);
    object.id("driver_id", fact.driver);
    object.text("route_name", &fact.name);
    match &fact.step {
        RouteStep::Created { .. } => created(object, &fact.step),
        RouteStep::Activated => {
            object.default_text("previous_status", "PAUSED");
            object.default_text("new_status", "ACTIVE");
        }
        RouteStep::Cancelled {
            reason,
            active_bookings,
        } => {
            object.optional_text("cancellation_reason", *reason);
            if *active_bookings > 0 || object.style.defaults {
                object.whole("active_bookings_count", *active_bookings);
            }
        }
        RouteStep::Updated { fields } => {
            object.plain(
                "updated_fields",
                format_args!("[\"{}\"]", fields.join("\",\"")),
            );
        }
    }
}

fn created(object: &mut Object<'_>, step: &RouteStep) {
    if let RouteStep::Created {
        origin,
        destination,
        stops,
        seats_total,
        base_price_kobo,
        departure_second,
        active_days,
    } = step
    {
        object.text("origin_city", origin.city);
        object.text("destination_city", destination.city);
        object.text("origin_state", origin.state);
        object.text("destination_state", destination.state);
        object.whole("stops_count", *stops);
        object.whole("seats_total", *seats_total);
        object.money("base_price", *base_price_kobo);
        let (hour, minute, second) = (
            departure_second / 3600,
            departure_second / 60 % 60,
            departure_second % 60,
        );
        object.shown(
            "departure_time",
            format_args!("{hour:02}:{minute:02}:{second:02}"),
        );
        let days: Vec<&str> = (0..)
            .zip(DAYS)
            .filter(|(bit, _)| active_days >> bit & 1 == 1)
            .map(|(_, day)| day)
            .collect();
        object.plain("active_days", format_args!("[\"{}\"]", days.join("\",\"")));
    }
}

pub(super) fn location(object: &mut Object<'_>, ping: &Ping) {
    object.id("driver_id", ping.driver);
    match ping.trip {
        Some(trip) => object.id("trip_id", trip),
        None => object.unset("trip_id"),
    }
    object.point("lat", "lon", ping.at);
    if let Some(speed) = ping.speed_deci_kmh {
        object.plain("speed_kmh", format_args!("{}.{}", speed / 10, speed % 10));
    }
    if let Some(bearing) = ping.bearing {
        object.whole("bearing", bearing);
    }
    if let Some(accuracy) = ping.accuracy_m {
        object.whole("accuracy_meters", accuracy);
    }
    if ping.named {
        object.text("city", ping.region.city);
        object.text("state", ping.region.state);
    }
}
