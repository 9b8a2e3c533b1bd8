use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use shared_schema::{Domain, EventType};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Cell, What, people, trips};
use crate::{
    cursor::{Cursor, NoCursor, cut},
    funnel,
    people::joined,
    query::{Parameters, Query},
    region::UNKNOWN,
    source::{Slice, settled_facts, settled_payments},
    time::{Span, clamped},
};

/// An event behind a count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CellEvent {
    /// Its identity.
    pub event_id: Uuid,
    /// What happened.
    #[schema(example = "booking.created")]
    pub event_type: String,
    /// When it happened.
    pub event_timestamp: DateTime<Utc>,
    /// To what: the id of the user, booking, payment, trip or route; of a count of users or drivers, the one who is
    /// counted. An event may stand for its rider, and again for its driver.
    pub entity_id: Uuid,
    /// The state that it counted in, or `unknown`.
    #[schema(example = "Lagos")]
    pub state: String,
    /// The city that it counted in, or `unknown`.
    #[schema(example = "Ikeja")]
    pub city: String,
    /// The Kafka topic that it was read from.
    #[schema(example = "openride.events.booking")]
    pub topic: String,
    /// The partition.
    pub partition: u32,
    /// The offset.
    pub offset: u64,
}

/// A page of the events behind a count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventPage {
    /// The earliest first.
    pub events: Vec<CellEvent>,
    /// To be sent as `cursor` for the next page; `null` on the last.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// A place in a list: an event, and which of the users that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCursor {
    event: Cursor,
    entity: Uuid,
}

/// A row of the answer.
#[derive(Clone, Debug, Row, Deserialize)]
pub struct EventRow {
    #[serde(with = "clickhouse::serde::uuid")]
    event_id: Uuid,
    event_type: String,
    at_ms: i64,
    #[serde(with = "clickhouse::serde::uuid")]
    entity_id: Uuid,
    state: String,
    city: String,
    topic: String,
    partition: u32,
    offset: u64,
}

/// One page after the cursor, and the first row of the next; the rows are [`EventRow`]s.
#[must_use]
pub fn query(cell: &Cell, after: Option<&EventCursor>, limit: u64) -> Query {
    let mut parameters = Parameters::default();
    let rows = rows(cell, after, &mut parameters);
    let goes_on = after.map_or_else(String::new, |after| {
        format!("WHERE {}\n", after.condition(&mut parameters))
    });
    let limit = parameters.number("limit", limit.saturating_add(1));
    parameters.into_query(format!(
        "SELECT event_id, toString(event_type) AS event_type, toUnixTimestamp64Milli(event_timestamp) AS at_ms, \
         entity AS entity_id, toString(state) AS state, toString(city) AS city, toString(kafka_topic) AS topic, \
         kafka_partition AS partition, kafka_offset AS offset\n\
         FROM\n\
         (\n\
         {rows}\n\
         )\n\
         {goes_on}\
         ORDER BY event_timestamp, kafka_topic, kafka_partition, kafka_offset, toString(entity)\n\
         LIMIT {limit}"
    ))
}

/// How many rows the list of a cell has; one number.
pub(crate) fn length(cell: &Cell) -> Query {
    let mut parameters = Parameters::default();
    let rows = rows(cell, None, &mut parameters);
    parameters.into_query(format!("SELECT toInt64(count())\nFROM\n(\n{rows}\n)"))
}

/// The list of a cell; of events, those that did not happen before the cursor.
fn rows(cell: &Cell, after: Option<&EventCursor>, parameters: &mut Parameters) -> String {
    match &cell.what {
        What::Events(event_type) => events(cell, *event_type, after, parameters),
        What::DriversOfTrips => drivers(cell, Domain::Trip, parameters),
        What::DriversOfLocations => drivers(cell, Domain::Location, parameters),
        What::Joined(users) => joined(cell, users, parameters),
        What::Reached(reached) => funnel::people(cell, reached, parameters),
        What::ActiveUsers => people::active(cell, parameters),
        What::UsersSeenLast => people::seen_last(cell, parameters),
        What::ActiveTrips { of_settled } => trips::active(cell, *of_settled, parameters),
    }
}

/// The events of a type; none that happened before the cursor.
fn events(
    cell: &Cell,
    event_type: EventType,
    after: Option<&EventCursor>,
    parameters: &mut Parameters,
) -> String {
    let seen = after.and_then(|after| DateTime::from_timestamp_millis(after.event.at_ms));
    let from = seen.map_or(cell.from, |seen| seen.max(cell.from));
    let slice = slice(cell, from).of_type(event_type);
    let facts = match event_type {
        EventType::PaymentRefunded => settled_payments(slice, parameters),
        event_type => settled_facts(event_type.domain(), slice, parameters),
    };
    let conditions = cell.region.own(parameters) + &cell.and_only(parameters);
    format!(
        "SELECT {}\nFROM {facts}\nWHERE {conditions}",
        columns(entity(event_type.domain()))
    )
}

/// The first event of each driver; of the unknown region, of those that are in no known one.
fn drivers(cell: &Cell, domain: Domain, parameters: &mut Parameters) -> String {
    let facts = settled_facts(domain, slice(cell, cell.from), parameters);
    let only = cell.and_only(parameters);
    let elsewhere = match cell.region.known() {
        Some(known) => {
            format!(" AND driver_id NOT IN (SELECT driver_id FROM {facts} WHERE {known}{only})")
        }
        None => String::new(),
    };
    format!(
        "SELECT {}\nFROM {facts}\nWHERE {}{only}{elsewhere}\n\
         ORDER BY event_timestamp, kafka_topic, kafka_partition, kafka_offset\n\
         LIMIT 1 BY driver_id",
        columns("driver_id"),
        cell.region.own(parameters),
    )
}

/// The cell's events from an instant on.
fn slice(cell: &Cell, from: DateTime<Utc>) -> Slice<'_> {
    let span = Span {
        from: clamped(from),
        until: clamped(cell.until),
    };
    Slice::head(span).at(Some(&cell.pin))
}

fn columns(entity: &str) -> String {
    format!(
        "event_id, event_type, event_timestamp, {entity} AS entity, state, city, kafka_topic, kafka_partition, kafka_offset"
    )
}

/// The column of the id that the domain's topic is named after.
const fn entity(domain: Domain) -> &'static str {
    match domain {
        Domain::User => "user_id",
        Domain::Booking => "booking_id",
        Domain::Payment => "payment_id",
        Domain::Trip => "trip_id",
        Domain::Route => "route_id",
        Domain::Location => "driver_id",
    }
}

/// The page that the rows make.
#[must_use]
pub fn assemble(limit: u64, mut rows: Vec<EventRow>) -> EventPage {
    let next_cursor = cut(&mut rows, limit, EventRow::place);
    let events = rows.into_iter().map(EventRow::event);
    EventPage {
        events: events.collect(),
        next_cursor,
    }
}

impl EventCursor {
    /// The condition on what comes after it.
    fn condition(&self, parameters: &mut Parameters) -> String {
        let (columns, place) = self.event.place("event_timestamp", parameters);
        let entity = parameters.text("after_entity", &self.entity.to_string());
        format!("({columns}, toString(entity)) > ({place}, {entity})")
    }
}

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.event, self.entity)
    }
}

impl FromStr for EventCursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let (event, entity) = text.rsplit_once('~').ok_or(NoCursor)?;
        Ok(Self {
            event: event.parse()?,
            entity: entity.parse().map_err(|_| NoCursor)?,
        })
    }
}

impl EventRow {
    fn place(&self) -> EventCursor {
        EventCursor {
            event: Cursor {
                at_ms: self.at_ms,
                partition: self.partition,
                offset: self.offset,
                topic: self.topic.clone(),
            },
            entity: self.entity_id,
        }
    }

    fn event(self) -> CellEvent {
        let known = |name: String| match name.is_empty() {
            true => UNKNOWN.to_owned(),
            false => name,
        };
        CellEvent {
            event_id: self.event_id,
            event_type: self.event_type,
            event_timestamp: DateTime::from_timestamp_millis(self.at_ms).unwrap_or_default(),
            entity_id: self.entity_id,
            state: known(self.state),
            city: known(self.city),
            topic: self.topic,
            partition: self.partition,
            offset: self.offset,
        }
    }
}
