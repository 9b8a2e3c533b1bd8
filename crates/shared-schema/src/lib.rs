//! Contracts between the processes: events, topics, money, ids, regions. No I/O.
//!
//! ```text
//! bytes of a Kafka value ──decode──▶ Decoded { identity, time, Event } ──▶ users(), own_region(), typed fields
//!                           │
//!                           └──────▶ Rejection { reason code, JSON path, detail }
//! ```
//!
//! - [`decode`] is the one entry for outside bytes; it never panics and never looks at a clock.
//! - [`judge_age`] is the one rule about an event's age; the time of judgement is passed in.
//! - [`Subscriptions`] says which topic carries which event types, and which adapter reads it.
//! - [`Region`] is a pure function of names or coordinates over an embedded table.
//!
//! # Conventions of the events
//! - Absent and `null` mean the same for an optional field and for one with a default; a required
//!   field that is `null` is [`ReasonCode::WrongType`].
//! - A string that is not of the form asked for (an id, a phone, one of a fixed set) is
//!   [`ReasonCode::PatternMismatch`]; a well-formed value outside its limits is [`ReasonCode::OutOfRange`].
//! - Ids are hyphenated UUID text in either case. The nil UUID, braces, `urn:uuid:` and the form
//!   without hyphens are refused: a nil id is an unset one, and would make strangers one person.
//! - A JSON number that is whole (`2.0`) is a whole number, as in JSON Schema.
//! - A field name that we read and that occurs twice is [`ReasonCode::InvalidJson`].

pub mod access;
mod adapter;
mod age;
mod choice;
mod decode;
mod domain;
mod envelope;
mod event_type;
pub mod events;
mod gap;
mod identity;
mod ids;
mod money;
mod number;
mod reason;
mod region;
mod schema;
mod text;
mod time;
mod topics;

pub use adapter::Adapter;
pub use age::{AgeLimits, ClockSkew, judge_age};
pub use choice::{
    BookingStatus, CancelledBy, DriverRole, KycStatus, PaymentMethod, RiderRole, Role, Weekday,
};
pub use decode::{Decoded, decode};
pub use domain::Domain;
pub use envelope::{Message, SchemaVersion};
pub use event_type::{EventType, EventTypeSet};
pub use events::{Event, OwnRegion};
pub use gap::GapCause;
pub use identity::IDENTITY_NAMESPACE;
pub use ids::{BookingId, EventId, PaymentId, RouteId, StopId, TripId, UserId};
pub use money::Money;
pub use number::{
    Bearing, Count, Kilometres, KilometresPerHour, Latitude, Longitude, Metres, Milliseconds,
    Minutes, Seats,
};
pub use reason::{Fault, ReasonCode, Rejection};
pub use region::{City, Region};
pub use schema::schema_of;
pub use text::{CardLast4, Currency, NewStatus, Phone, PreviousStatus, Provider, Text};
pub use time::{ActiveDays, LocalTime, Timestamp};
pub use topics::{
    DEFAULT_DEAD_LETTER_TOPIC, Subscription, Subscriptions, TopicsConfig, TopicsError,
};
