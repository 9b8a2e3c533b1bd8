//! From logical events to the bytes of a Kafka value, in the hands of different producers.

mod booking;
mod object;
mod payment;
mod style;
mod trip;
mod user_route_location;

pub use style::{MoneyForm, Style};

use crate::event::{Fact, LogicalEvent};
use object::Object;

/// Appends the event's JSON to `out`.
pub fn encode(event: &LogicalEvent, style: &Style, out: &mut Vec<u8>) {
    let mut object = Object::open(out, style);
    if let Some(id) = event.id {
        object.id("event_id", id);
    }
    object.text("event_type", event.fact.event_type());
    object.time("event_timestamp", event.at_ms);
    if style.schema_version {
        object.text("schema_version", "1-0-0");
    }
    if let Some(trace) = style.trace {
        object.shown("trace_id", format_args!("{:032x}", trace.as_u128()));
    }
    match &event.fact {
        Fact::User(fact) => user_route_location::user(&mut object, fact),
        Fact::Booking(fact) => booking::booking(&mut object, fact),
        Fact::Payment(fact) => payment::payment(&mut object, fact),
        Fact::Trip(fact) => trip::trip(&mut object, fact),
        Fact::Route(fact) => user_route_location::route(&mut object, fact),
        Fact::Location(ping) => user_route_location::location(&mut object, ping),
    }
    if style.unknown_field {
        object.text("app_version", "5.14.2");
    }
    object.close();
}
