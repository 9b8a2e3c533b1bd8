//! Logical events: what happened in the simulated OpenRide, before it becomes bytes.
//!
//! They carry the truth beside what is written on the wire: a booking knows the region of its pick-up point
//! because it was drawn inside that city, not because somebody looked its coordinates up. The answer key reads
//! only these.

mod booking;
mod location;
mod payment;
mod place;
mod route;
mod trip;
mod user;

pub use booking::{BookingFact, BookingStep, Party};
pub use location::Ping;
pub use payment::{Method, PaymentFact, PaymentStep};
pub use place::{Point, UNKNOWN};
pub use route::{RouteFact, RouteStep};
pub use trip::{TripFact, TripStep};
pub use user::{Registration, Role, UserFact, UserStep};

use shared_schema::Domain;
use uuid::Uuid;

/// One thing that happened, as its producer would tell it.
#[derive(Debug, Clone, PartialEq)]
pub struct LogicalEvent {
    /// `event_timestamp`: milliseconds since 1970 by the producer's clock, which may be ahead.
    pub at_ms: i64,
    /// `event_id`; without one the platform derives an identity from the contents.
    pub id: Option<Uuid>,
    /// What happened.
    pub fact: Fact,
}

/// What happened, by the topic that tells it.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// `user.*`
    User(UserFact),
    /// `booking.*`
    Booking(BookingFact),
    /// `payment.*`
    Payment(PaymentFact),
    /// `trip.*`
    Trip(TripFact),
    /// `route.*`
    Route(RouteFact),
    /// `driver.location.updated`
    Location(Ping),
}

impl Fact {
    /// The domain, hence the topic.
    #[must_use]
    pub const fn domain(&self) -> Domain {
        match self {
            Self::User(_) => Domain::User,
            Self::Booking(_) => Domain::Booking,
            Self::Payment(_) => Domain::Payment,
            Self::Trip(_) => Domain::Trip,
            Self::Route(_) => Domain::Route,
            Self::Location(_) => Domain::Location,
        }
    }

    /// The entity that the topic is named after: the record's key.
    #[must_use]
    pub const fn entity(&self) -> Uuid {
        match self {
            Self::User(fact) => fact.user,
            Self::Booking(fact) => fact.booking,
            Self::Payment(fact) => fact.payment,
            Self::Trip(fact) => fact.trip,
            Self::Route(fact) => fact.route,
            Self::Location(ping) => ping.driver,
        }
    }

    /// `event_type` as it is written on the wire.
    #[must_use]
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::User(fact) => fact.step.event_type(),
            Self::Booking(fact) => fact.step.event_type(),
            Self::Payment(fact) => fact.step.event_type(),
            Self::Trip(fact) => fact.step.event_type(),
            Self::Route(fact) => fact.step.event_type(),
            Self::Location(_) => "driver.location.updated",
        }
    }
}
