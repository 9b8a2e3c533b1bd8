//! The event types: 18 of the contract and one accepted extension.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Domain;

macro_rules! event_types {
    ($($variant:ident = $code:literal, $text:literal, $domain:ident;)+) => {
        /// What happened. The discriminant is the code that is stored: it is never reused or renumbered.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
        )]
        #[repr(u8)]
        pub enum EventType {
            $(#[doc = concat!("`", $text, "`")] #[serde(rename = $text)] $variant = $code,)+
        }

        impl EventType {
            /// Every type, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The value of `event_type`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The type with this name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }

            /// What the event is about.
            #[must_use]
            pub const fn domain(self) -> Domain {
                match self { $(Self::$variant => Domain::$domain,)+ }
            }
        }
    };
}

event_types! {
    UserRegistered = 1, "user.registered", User;
    UserKycVerified = 2, "user.kyc_verified", User;
    UserUpgradedToDriver = 3, "user.upgraded_to_driver", User;
    BookingCreated = 4, "booking.created", Booking;
    BookingConfirmed = 5, "booking.confirmed", Booking;
    BookingCancelled = 6, "booking.cancelled", Booking;
    BookingCompleted = 7, "booking.completed", Booking;
    PaymentInitiated = 8, "payment.initiated", Payment;
    PaymentSuccess = 9, "payment.success", Payment;
    PaymentFailed = 10, "payment.failed", Payment;
    PaymentRefunded = 11, "payment.refunded", Payment;
    TripStarted = 12, "trip.started", Trip;
    TripCompleted = 13, "trip.completed", Trip;
    TripCancelled = 14, "trip.cancelled", Trip;
    RouteCreated = 15, "route.created", Route;
    RouteActivated = 16, "route.activated", Route;
    RouteCancelled = 17, "route.cancelled", Route;
    DriverLocationUpdated = 18, "driver.location.updated", Location;
    RouteUpdated = 19, "route.updated", Route;
}

impl EventType {
    /// The number under which the type is stored.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of event types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventTypeSet(u32);

impl EventTypeSet {
    /// The types of one domain.
    #[must_use]
    pub fn of_domain(domain: Domain) -> Self {
        EventType::ALL
            .iter()
            .copied()
            .filter(|kind| kind.domain() == domain)
            .collect()
    }

    /// Is the type in the set?
    #[must_use]
    pub const fn contains(self, kind: EventType) -> bool {
        self.0 & (1 << kind.code()) != 0
    }

    /// Is there no type in the set?
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Puts a type into the set.
    pub const fn insert(&mut self, kind: EventType) {
        self.0 |= 1 << kind.code();
    }

    /// Takes a type out of the set.
    pub const fn remove(&mut self, kind: EventType) {
        self.0 &= !(1 << kind.code());
    }

    /// The types in the set, in the order of the contract.
    pub fn iter(self) -> impl Iterator<Item = EventType> {
        EventType::ALL
            .iter()
            .copied()
            .filter(move |kind| self.contains(*kind))
    }
}

impl FromIterator<EventType> for EventTypeSet {
    fn from_iter<I: IntoIterator<Item = EventType>>(kinds: I) -> Self {
        let mut set = Self::default();
        kinds.into_iter().for_each(|kind| set.insert(kind));
        set
    }
}
