//! The rows that an intent is stored as.

use super::{Batch, Range};
use crate::{
    StoreError,
    error::TxError,
    schema::{ingest_batch, ingest_range},
};
use chrono::{DateTime, Utc};
use diesel::Insertable;
use serde::Serialize;
use uuid::Uuid;

/// A batch that is opened now: its first attempt is announced with it.
#[derive(Insertable)]
#[diesel(table_name = ingest_batch, check_for_backend(diesel::pg::Pg))]
pub(crate) struct NewBatch<'a> {
    id: Uuid,
    owner: &'a str,
    codec: i32,
    decided_at: DateTime<Utc>,
    dedup_window: i64,
    age_limits: &'a serde_json::Value,
    attempt: i32,
    state: &'static str,
    opened_at: DateTime<Utc>,
    touched: Option<serde_json::Value>,
}

/// One of its ranges.
#[derive(Insertable)]
#[diesel(table_name = ingest_range, check_for_backend(diesel::pg::Pg))]
pub(crate) struct NewRange<'a> {
    batch_id: Uuid,
    topic: &'a str,
    partition: i32,
    lo: i64,
    hi: i64,
    records: i64,
    hash: i64,
    verdicts: serde_json::Value,
    parked: bool,
}

impl Batch {
    pub(crate) fn row(&self, now: DateTime<Utc>) -> Result<NewBatch<'_>, TxError> {
        Ok(NewBatch {
            id: self.id,
            owner: &self.owner,
            codec: self.codec,
            decided_at: self.decided_at,
            dedup_window: self.dedup_window,
            age_limits: &self.age_limits,
            attempt: 1,
            state: "open",
            opened_at: now,
            touched: self
                .touched
                .as_ref()
                .map(|touched| json("touched hours", touched))
                .transpose()?,
        })
    }

    pub(crate) fn range_rows(&self) -> Result<Vec<NewRange<'_>>, TxError> {
        self.ranges.iter().map(|range| range.row(self.id)).collect()
    }
}

impl Range {
    fn row(&self, batch_id: Uuid) -> Result<NewRange<'_>, TxError> {
        Ok(NewRange {
            batch_id,
            topic: &self.lane.topic,
            partition: self.lane.partition,
            lo: self.lo,
            hi: self.hi,
            records: self.records,
            hash: self.hash,
            verdicts: json("verdicts", &self.verdicts)?,
            parked: self.parked,
        })
    }
}

fn json(what: &'static str, value: &impl Serialize) -> Result<serde_json::Value, TxError> {
    serde_json::to_value(value).map_err(|error| {
        let detail = error.to_string();
        TxError::Store(StoreError::Unreadable { what, detail })
    })
}
