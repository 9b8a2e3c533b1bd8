//! Identities as types, so that a rider is never stored where a route belongs.

use std::fmt;

use uuid::Uuid;

use crate::Fault;
use crate::text::{ParseText, text_value};

const FORM: &str = "expected a hyphenated UUID that is not nil";
const HYPHENATED_LENGTH: usize = 36;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $label:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// The UUID itself.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl ParseText for $name {
            const EXPECTED: &'static str = "a UUID string";
            fn parse_text(text: &str) -> Result<Self, Fault> {
                parse_uuid(text).map(Self)
            }
        }

        text_value!($name, $label, {
            "type": "string",
            "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
            "not": {"const": "00000000-0000-0000-0000-000000000000"}
        });
    };
}

id!(
    /// An account: a rider, a driver (`rider_id`, `driver_id`) or an administrator.
    UserId, "UserId"
);
id!(
    /// A booking of seats.
    BookingId, "BookingId"
);
id!(
    /// A payment.
    PaymentId, "PaymentId"
);
id!(
    /// A ride under way.
    TripId, "TripId"
);
id!(
    /// A route that a driver offers.
    RouteId, "RouteId"
);
id!(
    /// A place on a route where riders get in or out.
    StopId, "StopId"
);
id!(
    /// An event, as its producer identifies it.
    EventId, "EventId"
);

fn parse_uuid(text: &str) -> Result<Uuid, Fault> {
    // The length alone tells the hyphenated form from the four others that the library reads.
    if text.len() != HYPHENATED_LENGTH {
        return Err(Fault::pattern(FORM));
    }
    match Uuid::try_parse(text) {
        Ok(id) if !id.is_nil() => Ok(id),
        _ => Err(Fault::pattern(FORM)),
    }
}
