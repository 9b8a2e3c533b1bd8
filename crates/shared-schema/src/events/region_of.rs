//! What an event itself says about its region, and whom to ask when it says nothing.

use crate::events::Event;
use crate::{BookingId, Region, RouteId, Text, UserId};

/// The region of an event as far as the event itself decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnRegion {
    /// The event decides. It may be [`Region::UNKNOWN`], and then stays so.
    Known(Region),
    /// The region of the ride: the pick-up in its `booking.created`, failing that the route's origin.
    OfRide {
        /// The ride's booking.
        booking_id: BookingId,
        /// The ride's route, where the event names it.
        route_id: Option<RouteId>,
    },
    /// The origin in the route's `route.created`.
    OfRoute(RouteId),
    /// The region of the account's `user.registered`.
    OfUser(UserId),
}

impl Event<'_> {
    /// The event's own region, or what must be known to find it.
    #[must_use]
    pub fn own_region(&self) -> OwnRegion {
        match self {
            Self::UserRegistered(e) => named(e.state.as_ref(), e.city.as_ref()),
            Self::UserKycVerified(e) => OwnRegion::OfUser(e.user_id),
            Self::UserUpgradedToDriver(e) => OwnRegion::OfUser(e.user_id),
            Self::BookingCreated(e) => match Region::from_coordinates(e.pickup_lat, e.pickup_lon) {
                Region::UNKNOWN => ride(e.booking_id, Some(e.route_id)),
                pickup => OwnRegion::Known(pickup),
            },
            Self::BookingConfirmed(e) => ride(e.booking_id, Some(e.route_id)),
            Self::BookingCancelled(e) => ride(e.booking_id, Some(e.route_id)),
            Self::BookingCompleted(e) => ride(e.booking_id, Some(e.route_id)),
            Self::PaymentInitiated(e) => ride(e.booking_id, None),
            Self::PaymentSuccess(e) => ride(e.booking_id, None),
            Self::PaymentFailed(e) => ride(e.booking_id, None),
            Self::PaymentRefunded(e) => ride(e.booking_id, None),
            Self::TripStarted(e) => ride(e.booking_id, Some(e.route_id)),
            Self::TripCompleted(e) => ride(e.booking_id, Some(e.route_id)),
            Self::TripCancelled(e) => ride(e.booking_id, Some(e.route_id)),
            Self::RouteCreated(e) => named(Some(&e.origin_state), Some(&e.origin_city)),
            Self::RouteActivated(e) => OwnRegion::OfRoute(e.route_id),
            Self::RouteCancelled(e) => OwnRegion::OfRoute(e.route_id),
            Self::RouteUpdated(e) => OwnRegion::OfRoute(e.route_id),
            Self::DriverLocationUpdated(e) => {
                let own = Region::from_names(e.state.as_deref(), e.city.as_deref());
                if own == Region::UNKNOWN {
                    OwnRegion::Known(Region::from_coordinates(e.lat, e.lon))
                } else {
                    OwnRegion::Known(own)
                }
            }
        }
    }
}

fn named(state: Option<&Text<'_>>, city: Option<&Text<'_>>) -> OwnRegion {
    OwnRegion::Known(Region::from_names(
        state.map(Text::as_str),
        city.map(Text::as_str),
    ))
}

const fn ride(booking_id: BookingId, route_id: Option<RouteId>) -> OwnRegion {
    OwnRegion::OfRide {
        booking_id,
        route_id,
    }
}
