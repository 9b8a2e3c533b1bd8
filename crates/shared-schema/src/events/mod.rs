//! The events themselves, one file per domain.

pub mod booking;
pub mod location;
pub mod payment;
mod region_of;
pub mod route;
pub mod trip;
pub mod user;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer};
use uuid::Uuid;

pub use booking::{BookingCancelled, BookingCompleted, BookingConfirmed, BookingCreated};
pub use location::DriverLocationUpdated;
pub use payment::{PaymentFailed, PaymentInitiated, PaymentRefunded, PaymentSuccess};
pub use region_of::OwnRegion;
pub use route::{RouteActivated, RouteCancelled, RouteCreated, RouteUpdated};
pub use trip::{TripCancelled, TripCompleted, TripStarted};
pub use user::{UserKycVerified, UserRegistered, UserUpgradedToDriver};

use crate::{Domain, EventType, UserId};

macro_rules! events {
    ($($plain:ident,)* ; $($borrowing:ident,)*) => {
        /// One event, typed. Strings are borrowed from the record where they can be.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(untagged)]
        #[expect(missing_docs, reason = "each variant is named after the struct that it holds")]
        pub enum Event<'a> {
            $($plain($plain),)*
            $($borrowing($borrowing<'a>),)*
        }

        impl<'a> Event<'a> {
            /// Which of the types it is.
            #[must_use]
            pub const fn event_type(&self) -> EventType {
                match self {
                    $(Self::$plain(_) => EventType::$plain,)*
                    $(Self::$borrowing(_) => EventType::$borrowing,)*
                }
            }

            /// Reads the fields of a given type.
            pub(crate) fn deserialize_as<'de: 'a, D: Deserializer<'de>>(
                kind: EventType,
                fields: D,
            ) -> Result<Self, D::Error> {
                match kind {
                    $(EventType::$plain => $plain::deserialize(fields).map(Self::$plain),)*
                    $(EventType::$borrowing => $borrowing::deserialize(fields).map(Self::$borrowing),)*
                }
            }
        }
    };
}

events! {
    UserUpgradedToDriver, BookingCreated, BookingCompleted, TripStarted, TripCompleted,
    ;
    UserRegistered, UserKycVerified, BookingConfirmed, BookingCancelled,
    PaymentInitiated, PaymentSuccess, PaymentFailed, PaymentRefunded, TripCancelled,
    RouteCreated, RouteActivated, RouteCancelled, RouteUpdated, DriverLocationUpdated,
}

impl Event<'_> {
    /// What the event is about.
    #[must_use]
    pub const fn domain(&self) -> Domain {
        self.event_type().domain()
    }

    /// The id that the topic is named after; of a location event the driver's. It is the message's key.
    #[must_use]
    pub const fn entity_id(&self) -> Uuid {
        match self {
            Self::UserRegistered(e) => e.user_id.uuid(),
            Self::UserKycVerified(e) => e.user_id.uuid(),
            Self::UserUpgradedToDriver(e) => e.user_id.uuid(),
            Self::BookingCreated(e) => e.booking_id.uuid(),
            Self::BookingConfirmed(e) => e.booking_id.uuid(),
            Self::BookingCancelled(e) => e.booking_id.uuid(),
            Self::BookingCompleted(e) => e.booking_id.uuid(),
            Self::PaymentInitiated(e) => e.payment_id.uuid(),
            Self::PaymentSuccess(e) => e.payment_id.uuid(),
            Self::PaymentFailed(e) => e.payment_id.uuid(),
            Self::PaymentRefunded(e) => e.payment_id.uuid(),
            Self::TripStarted(e) => e.trip_id.uuid(),
            Self::TripCompleted(e) => e.trip_id.uuid(),
            Self::TripCancelled(e) => e.trip_id.uuid(),
            Self::RouteCreated(e) => e.route_id.uuid(),
            Self::RouteActivated(e) => e.route_id.uuid(),
            Self::RouteCancelled(e) => e.route_id.uuid(),
            Self::RouteUpdated(e) => e.route_id.uuid(),
            Self::DriverLocationUpdated(e) => e.driver_id.uuid(),
        }
    }

    /// The users that the event names as `user_id`, `rider_id` or `driver_id`, each once. Who checked
    /// papers or paid money back (`verified_by`, `refunded_by`) was not active as a user.
    pub fn users(&self) -> impl Iterator<Item = UserId> + use<> {
        let (first, second) = self.one_or_two_users();
        std::iter::once(first).chain(second.filter(|second| *second != first))
    }

    const fn one_or_two_users(&self) -> (UserId, Option<UserId>) {
        match self {
            Self::UserRegistered(e) => (e.user_id, None),
            Self::UserKycVerified(e) => (e.user_id, None),
            Self::UserUpgradedToDriver(e) => (e.user_id, None),
            Self::BookingCreated(e) => (e.rider_id, Some(e.driver_id)),
            Self::BookingConfirmed(e) => (e.rider_id, Some(e.driver_id)),
            Self::BookingCancelled(e) => (e.rider_id, Some(e.driver_id)),
            Self::BookingCompleted(e) => (e.rider_id, Some(e.driver_id)),
            Self::PaymentInitiated(e) => (e.rider_id, None),
            Self::PaymentSuccess(e) => (e.rider_id, None),
            Self::PaymentFailed(e) => (e.rider_id, None),
            Self::PaymentRefunded(e) => (e.rider_id, None),
            Self::TripStarted(e) => (e.rider_id, Some(e.driver_id)),
            Self::TripCompleted(e) => (e.rider_id, Some(e.driver_id)),
            Self::TripCancelled(e) => (e.rider_id, Some(e.driver_id)),
            Self::RouteCreated(e) => (e.driver_id, None),
            Self::RouteActivated(e) => (e.driver_id, None),
            Self::RouteCancelled(e) => (e.driver_id, None),
            Self::RouteUpdated(e) => (e.driver_id, None),
            Self::DriverLocationUpdated(e) => (e.driver_id, None),
        }
    }
}
