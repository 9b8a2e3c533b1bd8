//! Batches and settlings to open.

use chrono::{DateTime, TimeDelta, Utc};
use metadata_store::{
    LaneId, Pool,
    batches::{self, Batch, Opening, Range, Stored, Touched, Verdicts},
    lanes::Lane,
    settlings::{Facts, Settling, Slice, State},
};
use shared_schema::Domain;
use std::collections::BTreeSet;
use uuid::Uuid;

use crate::database::lane;

/// Seconds after a midnight that is long past for the server too; a bucket of the horizon begins then.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    let midnight = DateTime::parse_from_rfc3339("2026-06-15T00:00:00Z").unwrap();
    midnight.to_utc() + TimeDelta::seconds(seconds)
}

/// The next ten offsets of each lane, judged at the midnight.
pub(crate) fn batch(lanes: &[Lane]) -> Batch {
    judged(at(0), lanes)
}

/// The next ten offsets of each lane.
pub(crate) fn judged(decided_at: DateTime<Utc>, lanes: &[Lane]) -> Batch {
    Batch {
        id: Uuid::now_v7(),
        owner: "member".to_owned(),
        codec: 3,
        decided_at,
        dedup_window: 1000,
        age_limits: serde_json::json!({ "events_ms": 7_776_000_000_i64 }),
        touched: Some(Touched::new([(Domain::Trip, &BTreeSet::from([7, 8]))])),
        ranges: lanes.iter().map(next_ten).collect(),
    }
}

fn next_ten(lane: &Lane) -> Range {
    Range {
        lane: lane.id(),
        epoch: lane.epoch,
        lo: lane.next_offset,
        hi: lane.next_offset + 9,
        records: 10,
        hash: i64::MIN + i64::from(lane.partition),
        verdicts: Verdicts::default(),
        parked: false,
        omission: None,
    }
}

/// Asks for an opening.
pub(crate) async fn open(pool: &Pool, batch: &Batch) -> Opening {
    batches::advance(pool, at(1), None, Some(batch))
        .await
        .unwrap()
}

/// Opens what may be opened.
pub(crate) async fn opened(pool: &Pool, lanes: &[Lane]) -> Batch {
    let batch = batch(lanes);
    assert_eq!(open(pool, &batch).await, Opening::Opened);
    batch
}

/// Closes a batch.
pub(crate) async fn close(pool: &Pool, id: Uuid) {
    let closed = batches::advance(pool, at(2), Some(id), None).await;
    assert_eq!(closed.unwrap(), Opening::Opened);
}

/// A lane whose range does not read as stored.
pub(crate) fn unreadable(partition: i32) -> (LaneId, String) {
    (lane(partition), format!("{partition} reads otherwise"))
}

/// Leaves the first lane's range out of an open batch, and closes it.
pub(crate) async fn close_without_the_first_lane(pool: &Pool, id: Uuid) {
    let parked = batches::park(pool, id, 1, &[unreadable(0)]).await;
    assert!(parked.unwrap().is_some());
    close(pool, id).await;
}

/// Which ranges of a stored batch are left out.
pub(crate) fn parked(stored: &Stored) -> Vec<bool> {
    let ranges = stored.batch.ranges.iter();
    ranges.map(|range| range.parked).collect()
}

/// A settling that is to be opened.
pub(crate) fn settling(settled_at: DateTime<Utc>) -> Settling {
    Settling {
        id: Uuid::now_v7(),
        settled_at,
        facts: Facts {
            taken: vec![("waiting_trip".to_owned(), vec![1, 2])],
            slice: Slice { number: 1, of: 3 },
            left_over: Some(7),
        },
        attempt: 1,
        state: State::Open,
    }
}
