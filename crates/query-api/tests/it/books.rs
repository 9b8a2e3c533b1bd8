//! Rows of the books: records of each verdict, and what was read.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    api::Api,
    story::{event, object, write},
};

pub(crate) const TOPIC: &str = "openride.events.booking";

fn place(offset: u64, decided_at: DateTime<Utc>) -> Map<String, Value> {
    let more = json!({
        "event_id": Uuid::from_u128(offset.into()), "kafka_topic": TOPIC, "kafka_offset": offset, "repeats_offset": 0,
        "reason": "missing_field", "path": "$.total_price", "detail": "expected a value",
        "payload": "+2348012345678",
    });
    event("booking.created", decided_at, more)
}

/// Writes records at these offsets of the topic.
pub(crate) async fn store(
    api: &Api,
    table: &str,
    offsets: impl IntoIterator<Item = u64>,
    decided_at: DateTime<Utc>,
) {
    let rows = offsets.into_iter().map(|offset| place(offset, decided_at));
    write(api, table, rows).await;
}

/// Writes what was read, and how much of it was accepted.
pub(crate) async fn range(
    api: &Api,
    first: u64,
    last: u64,
    accepted: u64,
    decided_at: DateTime<Utc>,
) {
    let row = json!({
        "batch": Uuid::from_u128(1), "kafka_topic": TOPIC, "kafka_partition": 0, "first_offset": first,
        "last_offset": last, "accepted": accepted, "decided_at": decided_at.to_rfc3339(),
    });
    write(api, "ingest_ledger", [object(row)]).await;
}

/// Writes offsets that are no records.
pub(crate) async fn gap(api: &Api, first: u64, last: u64, cause: &str, now: DateTime<Utc>) {
    let row = json!({
        "kafka_topic": TOPIC, "kafka_partition": 0, "first_offset": first, "last_offset": last, "cause": cause,
        "decided_at": now.to_rfc3339(), "batch": Uuid::from_u128(1),
    });
    write(api, "ingest_gaps", [object(row)]).await;
}

/// Some records of each verdict.
pub(crate) async fn books(api: &Api, now: DateTime<Utc>) {
    api.lane(TOPIC, 0, 119, now).await;
    range(api, 0, 116, 110, now).await;
    store(api, "events_raw", 0..110, now).await;
    store(api, "duplicates", 110..114, now).await;
    store(api, "dead_letters", 114..117, now).await;
    gap(api, 117, 118, "control", now).await;
}
