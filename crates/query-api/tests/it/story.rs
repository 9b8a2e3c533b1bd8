//! A simulated story in the tables, as the ingestor would write it, and the answer key to it.

mod settling;

use std::collections::BTreeSet;

use chrono::{DateTime, DurationRound as _, SubsecRound as _, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use service_runtime::clock::{Clock, SystemClock};
use shared_schema::{Domain, Event, OwnRegion, Region, Subscriptions, TopicsConfig, decode};
use simulator::{
    Config, Simulation,
    answer::{AnswerKey, Asked},
    event::{Fact, LogicalEvent},
    wire::{self, Style},
};
use uuid::Uuid;

use crate::api::Api;

/// The events of a story, and what is right about them.
pub(crate) struct Story {
    pub(crate) key: AnswerKey,
    /// When the story ends, a whole second. Events of clocks that are ahead may lie beyond.
    pub(crate) end: DateTime<Utc>,
    pub(crate) start: DateTime<Utc>,
    facts: Vec<Row>,
}

/// An event as a row of its input table.
struct Row {
    domain: Domain,
    columns: Map<String, Value>,
    own: Own,
    payment: Option<Uuid>,
}

/// Where an event's region is to be found.
enum Own {
    Known(Region),
    Ride(Uuid),
    Route(Uuid),
    User(Uuid),
}

impl Story {
    /// Some days that end now: the tables of the real-time tiles forget what is older.
    pub(crate) fn of(seed: u64, days: i64, rides: u64) -> Self {
        let end = SystemClock.now().trunc_subsecs(0);
        let start = end - TimeDelta::days(days);
        let config = Config::new(
            seed,
            start.timestamp_millis(),
            end.timestamp_millis(),
            rides,
        );
        let occurrences = Simulation::new(&config);
        let events = occurrences.map(|occurrence| (occurrence.event, occurrence.arrival_ms));
        let story = Self::told(events, start, end);
        println!(
            "seed {seed}, story from {start} to {end}, {} events",
            story.facts.len()
        );
        story
    }

    /// These events, each with when it arrived.
    pub(crate) fn told(
        events: impl Iterator<Item = (LogicalEvent, i64)>,
        start: DateTime<Utc>,
        end: DateTime<Utc>,
    ) -> Self {
        let subscriptions = Subscriptions::new(&TopicsConfig::default()).unwrap();
        let mut story = Self {
            key: AnswerKey::default(),
            end,
            start,
            facts: Vec::new(),
        };
        for (event, arrival_ms) in events {
            story.key.observe(&event, arrival_ms);
            story.add(&event, arrival_ms, &subscriptions);
        }
        story
    }

    fn add(&mut self, event: &LogicalEvent, arrival_ms: i64, subscriptions: &Subscriptions) {
        let mut bytes = Vec::new();
        wire::encode(event, &Style::PLAIN, &mut bytes);
        let domain = event.fact.domain();
        let topic = TopicsConfig::default().topic_of(domain).to_owned();
        let decoded = decode(&bytes, subscriptions.by_topic(&topic).unwrap()).unwrap();
        let Value::Object(mut columns) = serde_json::from_slice(&bytes).unwrap() else {
            unreachable!()
        };
        let arrival = DateTime::from_timestamp_millis(arrival_ms)
            .unwrap()
            .to_rfc3339();
        columns.extend(object(json!({
            "event_id": decoded.event_id,
            "batch": Uuid::from_u128(1),
            "mark": Uuid::nil(),
            "kafka_topic": topic,
            "kafka_partition": 0,
            "kafka_offset": self.facts.len(),
            "kafka_timestamp": arrival,
            // one time for all: what waits is partitioned by it
            "decided_at": self.end.to_rfc3339(),
            "clock_skew": event.at_ms > arrival_ms + 300_000,
            "payload": String::from_utf8(bytes.clone()).unwrap(),
        })));
        let own = Own::of(&decoded.event);
        let payment = match &event.fact {
            Fact::Payment(fact) => Some(fact.payment),
            _ => None,
        };
        self.facts.push(Row {
            domain,
            columns,
            own,
            payment,
        });
    }

    /// The quarter of an hour in which the story starts.
    pub(crate) fn on_grid(&self) -> DateTime<Utc> {
        self.start.duration_trunc(TimeDelta::minutes(15)).unwrap()
    }

    /// Writes the events, each with its region if it says so itself.
    pub(crate) async fn ingest(&self, api: &Api) {
        self.ingest_those(api, |_| true).await;
    }

    /// The number of events; their offsets are their numbers, whatever their topic.
    pub(crate) fn len(&self) -> usize {
        self.facts.len()
    }

    /// Writes the events whose offset is wanted.
    pub(crate) async fn ingest_those(&self, api: &Api, is_wanted: impl Fn(usize) -> bool) {
        let facts = self.facts.iter().enumerate();
        let facts = facts.filter(|(offset, _)| is_wanted(*offset));
        let facts: Vec<&Row> = facts.map(|(_, row)| row).collect();
        for domain in Domain::ALL {
            let rows = facts.iter().filter(|row| row.domain == domain).map(|row| {
                let region = match row.own {
                    Own::Known(region) => Some(region),
                    _ => None,
                };
                row.with("ingest", region)
            });
            insert(api, domain, rows).await;
        }
    }

    /// Everything once more, an hour earlier and with other amounts, in this one region; without one it waits.
    pub(crate) async fn again_in(&self, api: &Api, region: Option<Region>) {
        for domain in Domain::ALL {
            let rows = self.facts.iter().filter(|row| row.domain == domain);
            let rows = rows.map(|row| {
                let mut columns = row.with("ingest", region);
                let earlier = (row.at() - TimeDelta::hours(1)).to_rfc3339();
                columns.extend(object(json!({
                    "event_id": Uuid::now_v7(), "batch": Uuid::from_u128(4), "event_timestamp": earlier,
                    "kafka_partition": if region.is_some() { 7 } else { 8 },
                })));
                for (column, other) in [
                    ("role", json!("ADMIN")),
                    ("kyc_status", json!("REJECTED")),
                    ("route_name", json!("elsewhere")),
                    ("seats_total", json!(8)),
                    ("seats_booked", json!(1)),
                    ("total_price", json!("1.00")),
                    ("amount", json!("1.00")),
                    ("driver_earnings", json!("1.00")),
                    ("scheduled_departure", json!(earlier)),
                ] {
                    if columns.contains_key(column) {
                        columns.insert(column.to_owned(), other);
                    }
                }
                columns
            });
            insert(api, domain, rows).await;
        }
    }

    /// All metrics of a question are those of the key.
    pub(crate) async fn metrics_are_told(&self, api: &Api, asked: &Asked) {
        for told in asked.metrics(&self.key) {
            api.tells(&told).await;
        }
    }

    /// Every state in which something happens, the unknown one included.
    pub(crate) fn states(&self) -> BTreeSet<&'static str> {
        let known = self.key.regions().iter().map(|region| region.state);
        known.chain(["unknown"]).collect()
    }

    /// Everybody whom an event names from `start` on, with whether its region is known.
    pub(crate) fn named_since(&self, start: DateTime<Utc>, columns: &[&str]) -> Vec<(Uuid, bool)> {
        let regions = self.regions();
        let recent = self.facts.iter().filter(|row| row.at() >= start);
        recent
            .flat_map(|row| {
                let known = regions.of(&row.own).state != "unknown";
                let ids = columns
                    .iter()
                    .filter_map(|column| row.columns.get(*column)?.as_str()?.parse().ok());
                ids.map(move |id| (id, known)).collect::<Vec<_>>()
            })
            .collect()
    }

    /// Registers one more user, who does not say where, just before the end.
    pub(crate) async fn newcomer_without_region(&self, api: &Api) -> Uuid {
        let newcomer = Uuid::from_u128(7);
        let at = self.end - TimeDelta::seconds(1);
        let fields = json!({
            "kafka_topic": "openride.events.user", "kafka_partition": 1, "kafka_offset": 0, "user_id": newcomer,
            "role": "RIDER", "state": "unknown", "city": "unknown",
        });
        let row = event("user.registered", at, fields);
        insert(api, Domain::User, [row]).await;
        newcomer
    }
}

impl Own {
    fn of(event: &Event<'_>) -> Self {
        match event.own_region() {
            OwnRegion::Known(region) => Self::Known(region),
            OwnRegion::OfRide { booking_id, .. } => Self::Ride(booking_id.uuid()),
            OwnRegion::OfRoute(route) => Self::Route(route.uuid()),
            OwnRegion::OfUser(user) => Self::User(user.uuid()),
        }
    }
}

impl Row {
    fn at(&self) -> DateTime<Utc> {
        self.columns["event_timestamp"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    }

    fn with(&self, phase: &str, region: Option<Region>) -> Map<String, Value> {
        let mut columns = self.columns.clone();
        let (state, city) = region.map_or(("", ""), |region| (region.state, region.city));
        columns.extend(object(json!({
            "phase": phase, "region_settled": region.is_some(), "state": state, "city": city,
        })));
        columns
    }
}

/// The parameters of a range.
pub(crate) fn range(start: DateTime<Utc>, end: DateTime<Utc>) -> String {
    let shown = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    format!("start_date={}&end_date={}", shown(start), shown(end))
}

/// A row of an input table: an event in Ikeja that was read when it happened, with these fields beside or instead.
pub(crate) fn event(kind: &str, at: DateTime<Utc>, fields: Value) -> Map<String, Value> {
    let at = at.to_rfc3339();
    let mut row = object(json!({
        "event_id": Uuid::new_v4(), "event_type": kind, "event_timestamp": at, "decided_at": at, "kafka_timestamp": at,
        "kafka_partition": 0, "mark": Uuid::nil(), "batch": Uuid::from_u128(9), "phase": "ingest",
        "state": "Lagos", "city": "Ikeja", "region_settled": true,
    }));
    row.extend(object(fields));
    row
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

async fn insert(api: &Api, domain: Domain, rows: impl IntoIterator<Item = Map<String, Value>>) {
    write(api, &format!("in_{domain}"), rows).await;
}

/// Writes rows as JSON, of which the table takes the fields that it has.
pub(crate) async fn write(
    api: &Api,
    table: &str,
    rows: impl IntoIterator<Item = Map<String, Value>>,
) {
    let rows = rows.into_iter().map(|row| Value::Object(row).to_string());
    let rows: Vec<String> = rows.collect();
    for chunk in rows.chunks(10_000) {
        let sql = format!(
            "INSERT INTO {table} SETTINGS date_time_input_format = 'best_effort', async_insert = 0, \
             input_format_skip_unknown_fields = 1, input_format_null_as_default = 1 FORMAT JSONEachRow\n{}",
            chunk.join("\n")
        );
        api.execute(&sql).await;
    }
}
