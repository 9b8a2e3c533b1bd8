//! What the events are about, and where they are stored.

/// What the events of a topic are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Registrations, verifications, upgrades.
    User,
    /// Bookings.
    Booking,
    /// Payments.
    Payment,
    /// Trips.
    Trip,
    /// Routes.
    Route,
    /// Positions of drivers.
    Location,
}

impl Domain {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::User,
        Self::Booking,
        Self::Payment,
        Self::Trip,
        Self::Route,
        Self::Location,
    ];

    /// The table of the typed events.
    pub(crate) const fn events(self) -> &'static str {
        match self {
            Self::User => "user_events",
            Self::Booking => "booking_events",
            Self::Payment => "payment_events",
            Self::Trip => "trip_events",
            Self::Route => "route_events",
            Self::Location => "location_events",
        }
    }

    /// The table of the facts whose region is not known yet; a location always knows its own.
    pub(crate) const fn waiting(self) -> Option<&'static str> {
        match self {
            Self::User => Some("waiting_user"),
            Self::Booking => Some("waiting_booking"),
            Self::Payment => Some("waiting_payment"),
            Self::Trip => Some("waiting_trip"),
            Self::Route => Some("waiting_route"),
            Self::Location => None,
        }
    }

    /// The stored columns, and those that the table computes of them.
    pub(crate) const fn columns(self) -> &'static str {
        match self {
            Self::Trip => "*, distance_m",
            _ => "*",
        }
    }
}
