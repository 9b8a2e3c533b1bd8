//! Batches as they are stored.

use super::{Batch, Range};
use crate::{
    LaneId, Pool, StoreError,
    schema::{ingest_batch, ingest_range},
};
use chrono::{DateTime, Utc};
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

/// A stored batch with its state.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The intent.
    pub batch: Batch,
    /// The last attempt that was announced.
    pub attempt: i32,
    /// Whether it is closed.
    pub done: bool,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = ingest_batch, check_for_backend(diesel::pg::Pg))]
struct BatchRow {
    id: Uuid,
    owner: String,
    codec: i32,
    decided_at: DateTime<Utc>,
    dedup_window: i64,
    age_limits: serde_json::Value,
    attempt: i32,
    state: String,
    touched: Option<serde_json::Value>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = ingest_range, check_for_backend(diesel::pg::Pg))]
struct RangeRow {
    topic: String,
    partition: i32,
    lo: i64,
    hi: i64,
    records: i64,
    hash: i64,
    verdicts: serde_json::Value,
    parked: bool,
    omission: Option<i32>,
}

/// A batch as it is stored.
pub async fn load(pool: &Pool, id: Uuid) -> Result<Stored, StoreError> {
    let operation = "read a batch";
    let mut connection = pool.get(operation).await?;
    let failed = |source| StoreError::Query { operation, source };
    let row: BatchRow = ingest_batch::table
        .find(id)
        .select(BatchRow::as_select())
        .first(&mut connection)
        .await
        .optional()
        .map_err(failed)?
        .ok_or(StoreError::NoSuchBatch(id))?;
    let ranges: Vec<RangeRow> = ingest_range::table
        .filter(ingest_range::batch_id.eq(id))
        .order((ingest_range::topic, ingest_range::partition))
        .select(RangeRow::as_select())
        .load(&mut connection)
        .await
        .map_err(failed)?;
    stored(row, ranges)
}

fn stored(row: BatchRow, ranges: Vec<RangeRow>) -> Result<Stored, StoreError> {
    let ranges = ranges.into_iter().map(range).collect::<Result<_, _>>()?;
    Ok(Stored {
        attempt: row.attempt,
        done: row.state == "done",
        batch: Batch {
            id: row.id,
            owner: row.owner,
            codec: row.codec,
            decided_at: row.decided_at,
            dedup_window: row.dedup_window,
            age_limits: row.age_limits,
            touched: row
                .touched
                .and_then(|touched| serde_json::from_value(touched).ok()),
            ranges,
        },
    })
}

fn range(row: RangeRow) -> Result<Range, StoreError> {
    let verdicts =
        serde_json::from_value(row.verdicts).map_err(|error| StoreError::Unreadable {
            what: "verdicts",
            detail: error.to_string(),
        })?;
    Ok(Range {
        lane: LaneId {
            topic: row.topic,
            partition: row.partition,
        },
        epoch: 0,
        lo: row.lo,
        hi: row.hi,
        records: row.records,
        hash: row.hash,
        verdicts,
        parked: row.parked,
        omission: row.omission,
    })
}

/// The open batches, oldest first: id and when each was opened and decided.
pub async fn open(pool: &Pool) -> Result<Vec<(Uuid, DateTime<Utc>, DateTime<Utc>)>, StoreError> {
    let operation = "list open batches";
    let mut connection = pool.get(operation).await?;
    ingest_batch::table
        .filter(ingest_batch::state.eq("open"))
        .order(ingest_batch::opened_at)
        .select((
            ingest_batch::id,
            ingest_batch::opened_at,
            ingest_batch::decided_at,
        ))
        .load(&mut connection)
        .await
        .map_err(|source| StoreError::Query { operation, source })
}
