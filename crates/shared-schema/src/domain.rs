//! The six domains, each with a topic and a table.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an event is about. Decides the topic, the table and the entity that is the message's key.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// Accounts: riders, drivers, administrators.
    User,
    /// Seats booked on a route's departure.
    Booking,
    /// Money paid for a booking.
    Payment,
    /// A ride under way.
    Trip,
    /// What a driver offers: a way, a time, seats.
    Route,
    /// Where a driver is.
    Location,
}

impl Domain {
    /// Every domain, in the order of the contract.
    pub const ALL: [Self; 6] = [
        Self::User,
        Self::Booking,
        Self::Payment,
        Self::Trip,
        Self::Route,
        Self::Location,
    ];

    /// The domain's name, as in `booking_events` and `openride.events.booking`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Booking => "booking",
            Self::Payment => "payment",
            Self::Trip => "trip",
            Self::Route => "route",
            Self::Location => "location",
        }
    }

    /// ClickHouse's table that takes the inserts and keeps nothing.
    #[must_use]
    pub const fn input_table(self) -> &'static str {
        match self {
            Self::User => "in_user",
            Self::Booking => "in_booking",
            Self::Payment => "in_payment",
            Self::Trip => "in_trip",
            Self::Route => "in_route",
            Self::Location => "in_location",
        }
    }

    /// ClickHouse's table of the typed events.
    #[must_use]
    pub const fn events_table(self) -> &'static str {
        match self {
            Self::User => "user_events",
            Self::Booking => "booking_events",
            Self::Payment => "payment_events",
            Self::Trip => "trip_events",
            Self::Route => "route_events",
            Self::Location => "location_events",
        }
    }

    /// ClickHouse's table of the facts whose region is not known yet; a location always knows its own.
    #[must_use]
    pub const fn waiting_table(self) -> Option<&'static str> {
        match self {
            Self::User => Some("waiting_user"),
            Self::Booking => Some("waiting_booking"),
            Self::Payment => Some("waiting_payment"),
            Self::Trip => Some("waiting_trip"),
            Self::Route => Some("waiting_route"),
            Self::Location => None,
        }
    }

    /// The domain of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|domain| domain.as_str() == text)
    }

    /// The topic that carries the domain unless the configuration names another.
    #[must_use]
    pub const fn default_topic(self) -> &'static str {
        match self {
            Self::User => "openride.events.user",
            Self::Booking => "openride.events.booking",
            Self::Payment => "openride.events.payment",
            Self::Trip => "openride.events.trip",
            Self::Route => "openride.events.route",
            Self::Location => "openride.events.location",
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
