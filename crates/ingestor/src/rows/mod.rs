//! From a decoded event to a row of its domain's input table, column by column.

mod booking;
mod location;
mod payment;
mod route;
mod trip;
mod user;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use event_store::{
    Buffers,
    native::{
        Block, BlockError, Body, Bool, Col, ColumnType, DateTime64, Enum8, Text, UInt32, UInt64,
        Uuid as UuidKind,
    },
};
use shared_schema::{Decoded, Domain, Event, EventType, OwnRegion, SchemaVersion};
use std::collections::BTreeSet;

/// The longest by which a view may move an event's time forward before it takes the month of it: real-time
/// rows round up to whole seconds.
const ROUNDING_MS: i64 = 999;

const HOUR_MS: i64 = 3_600_000;

/// Where a record stands and when it came.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Kafka's topic.
    pub topic: &'a str,
    /// Its partition.
    pub partition: u32,
    /// The record's offset.
    pub offset: u64,
    /// Kafka's timestamp, milliseconds.
    pub timestamp_ms: i64,
}

/// Rows for the input table of one domain.
pub struct Rows {
    block: Block,
    envelope: Envelope,
    columns: DomainColumns,
    months: BTreeSet<NaiveDate>,
    hours: BTreeSet<i64>,
}

enum DomainColumns {
    User(user::Columns),
    Booking(booking::Columns),
    Payment(payment::Columns),
    Trip(trip::Columns),
    Route(route::Columns),
    Location(location::Columns),
}

struct Envelope {
    sentinel: Col<Bool>,
    event_id: Col<UuidKind>,
    event_type: Col<Enum8>,
    event_timestamp: Col<DateTime64>,
    schema_version: Col<Text>,
    trace_id: Col<Text>,
    kafka_topic: Col<Text>,
    kafka_partition: Col<UInt32>,
    kafka_offset: Col<UInt64>,
    kafka_timestamp: Col<DateTime64>,
    clock_skew: Col<Bool>,
    payload: Col<Text>,
    state: Col<Text>,
    city: Col<Text>,
    region_settled: Col<Bool>,
}

impl Envelope {
    fn new(block: &mut Block) -> Self {
        let lc = ColumnType::low_cardinality_string;
        let types: Vec<(&str, i8)> = EventType::ALL
            .iter()
            .map(|kind| (kind.as_str(), i8::try_from(kind.code()).unwrap_or(i8::MAX)))
            .collect();
        Self {
            sentinel: block.add("sentinel", ColumnType::bool()),
            event_id: block.add("event_id", ColumnType::uuid()),
            event_type: block.add("event_type", ColumnType::enum8(&types)),
            event_timestamp: block.add("event_timestamp", ColumnType::datetime64()),
            schema_version: block.add("schema_version", lc()),
            trace_id: block.add("trace_id", ColumnType::string()),
            kafka_topic: block.add("kafka_topic", lc()),
            kafka_partition: block.add("kafka_partition", ColumnType::uint32()),
            kafka_offset: block.add("kafka_offset", ColumnType::uint64()),
            kafka_timestamp: block.add("kafka_timestamp", ColumnType::datetime64()),
            clock_skew: block.add("clock_skew", ColumnType::bool()),
            payload: block.add("payload", ColumnType::string()),
            state: block.add("state", lc()),
            city: block.add("city", lc()),
            region_settled: block.add("region_settled", ColumnType::bool()),
        }
    }
}

impl Rows {
    /// No rows yet, for one domain.
    pub fn new(domain: Domain) -> Self {
        let mut block = Block::new();
        let envelope = Envelope::new(&mut block);
        let columns = match domain {
            Domain::User => DomainColumns::User(user::Columns::new(&mut block)),
            Domain::Booking => DomainColumns::Booking(booking::Columns::new(&mut block)),
            Domain::Payment => DomainColumns::Payment(payment::Columns::new(&mut block)),
            Domain::Trip => DomainColumns::Trip(trip::Columns::new(&mut block)),
            Domain::Route => DomainColumns::Route(route::Columns::new(&mut block)),
            Domain::Location => DomainColumns::Location(location::Columns::new(&mut block)),
        };
        Self {
            block,
            envelope,
            columns,
            months: BTreeSet::new(),
            hours: BTreeSet::new(),
        }
    }

    /// The table function that reads these rows in an insert.
    pub fn input(&self) -> String {
        self.block.input()
    }

    /// Names of the columns in the block, without the sentinel's flag.
    pub fn column_names(&self) -> Vec<String> {
        self.block
            .column_names()
            .skip(1)
            .map(str::to_owned)
            .collect()
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.block.is_empty()
    }

    /// Adds an event.
    pub fn push(
        &mut self,
        decoded: &Decoded<'_>,
        place: Place<'_>,
        clock_skew: bool,
        payload: &[u8],
    ) {
        let Self {
            block, envelope: e, ..
        } = self;
        block.set(e.event_id, decoded.event_id);
        block.set(
            e.event_type,
            i8::try_from(decoded.event_type.code()).unwrap_or(i8::MAX),
        );
        block.set(e.event_timestamp, decoded.timestamp_ms);
        if decoded.schema_version == SchemaVersion::default() {
            block.set(e.schema_version, "1-0-0");
        } else {
            block.set(
                e.schema_version,
                decoded.schema_version.to_string().as_str(),
            );
        }
        block.set(e.trace_id, decoded.trace_id.as_ref().map(|id| id.as_str()));
        block.set(e.kafka_topic, place.topic);
        block.set(e.kafka_partition, place.partition);
        block.set(e.kafka_offset, place.offset);
        block.set(e.kafka_timestamp, place.timestamp_ms);
        block.set(e.clock_skew, clock_skew);
        block.set(e.payload, payload);
        if let OwnRegion::Known(region) = decoded.event.own_region() {
            block.set(e.state, region.state);
            block.set(e.city, region.city);
            block.set(e.region_settled, true);
        }
        self.columns.push(&mut self.block, &decoded.event);
        self.block.finish_row();
        self.hours.insert(decoded.timestamp_ms.div_euclid(HOUR_MS));
        self.months.extend([
            month(decoded.timestamp_ms),
            month(decoded.timestamp_ms + ROUNDING_MS),
        ]);
    }

    /// The hours that events were added to, counted from 1970; none are known after it.
    pub fn take_hours(&mut self) -> BTreeSet<i64> {
        std::mem::take(&mut self.hours)
    }

    /// Ends the batch: adds a sentinel for each month that a row can fall into, and takes the block out. Returns the
    /// months too.
    pub fn finish(&mut self, memory: &Buffers) -> Result<(Body, BTreeSet<NaiveDate>), BlockError> {
        let months = std::mem::take(&mut self.months);
        for first in &months {
            self.block.set(self.envelope.sentinel, true);
            self.block
                .set(self.envelope.event_timestamp, midnight_ms(*first));
            self.block.finish_row();
        }
        Ok((self.block.take(memory)?, months))
    }
}

impl DomainColumns {
    fn push(&self, block: &mut Block, event: &Event<'_>) {
        match self {
            Self::User(columns) => columns.push(block, event),
            Self::Booking(columns) => columns.push(block, event),
            Self::Payment(columns) => columns.push(block, event),
            Self::Trip(columns) => columns.push(block, event),
            Self::Route(columns) => columns.push(block, event),
            Self::Location(columns) => columns.push(block, event),
        }
    }
}

/// The first day of the UTC month of a time.
fn month(timestamp_ms: i64) -> NaiveDate {
    DateTime::<Utc>::from_timestamp_millis(timestamp_ms)
        .and_then(|time| time.date_naive().with_day(1))
        .unwrap_or_default()
}

fn midnight_ms(day: NaiveDate) -> i64 {
    day.and_time(chrono::NaiveTime::MIN)
        .and_utc()
        .timestamp_millis()
}
