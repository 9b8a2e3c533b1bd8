//! A batch: ranges of several lanes, promised before they are written and closed once they are there.

use crate::{
    LaneId, Pool, StoreError,
    error::TxError,
    schema::{ingest_batch, ingest_lane, ingest_range},
    settlings,
};
use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods,
    OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
    sql_types::{Array, BigInt, Integer, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An intent: what will be written, and everything that a second look could see differently.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// UUIDv7, made by the member.
    pub id: Uuid,
    /// The member that opened it.
    pub owner: String,
    /// Version of the code that turns bytes into rows.
    pub codec: i32,
    /// The time against which ages are judged.
    pub decided_at: DateTime<Utc>,
    /// How many offsets back a duplicate was looked for.
    pub dedup_window: i64,
    /// The age limits that applied, as the member stored them.
    pub age_limits: serde_json::Value,
    /// One range per lane.
    pub ranges: Vec<Range>,
}

/// What a batch holds of one lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    /// Which lane.
    pub lane: LaneId,
    /// The epoch under which the member owns it. Not stored.
    pub epoch: i64,
    /// First offset.
    pub lo: i64,
    /// Last offset, control records included.
    pub hi: i64,
    /// Records in it.
    pub records: i64,
    /// xxh3 over offsets and bytes.
    pub hash: i64,
    /// Verdicts that bytes, codec and `decided_at` do not determine.
    pub verdicts: Verdicts,
    /// No longer reads as stored; its lane is stopped.
    pub parked: bool,
}

/// Verdicts that a second look could see differently.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdicts {
    /// (offset, offset that it repeats).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<(i64, i64)>,
    /// (offset, offset of the event whose id it reuses for another payload).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reused_ids: Vec<(i64, i64)>,
    /// Offsets without a record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

/// A range of offsets at which the log holds no record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// First offset.
    pub lo: i64,
    /// Last offset.
    pub hi: i64,
    /// `control`, `compacted` or `lost`.
    pub cause: String,
}

/// What became of a request to open a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Opening {
    /// It is stored and may be written.
    Opened,
    /// Nothing was opened: these lanes are no longer the member's, or stand elsewhere.
    LanesLost(Vec<LaneId>),
    /// Nothing was opened: the batch was judged too long ago. It must be judged at this time or later.
    Stale(DateTime<Utc>),
}

/// A stored batch with its state.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The intent.
    pub batch: Batch,
    /// The last attempt that was announced.
    pub attempt: i32,
    /// Whether it is closed.
    pub done: bool,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
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
    opened_at: DateTime<Utc>,
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
}

/// Closes one batch and opens the next, in one transaction. The closing is kept even when the opening is
/// refused. Whoever did not hear the answer asks again with the very same batch.
pub async fn advance(
    pool: &Pool,
    now: DateTime<Utc>,
    close: Option<Uuid>,
    open: Option<&Batch>,
) -> Result<Opening, StoreError> {
    let operation = "close and open batches";
    let mut connection = pool.get(operation).await?;
    connection
        .transaction(async |tx| {
            if let Some(id) = close {
                close_in(tx, now, id).await?;
            }
            match open {
                Some(batch) => open_in(tx, now, batch).await,
                None => Ok(Opening::Opened),
            }
        })
        .await
        .map_err(|error: TxError| error.during(operation))
}

/// Closes a batch: it is done, and every lane of it moves behind its range, all or nothing. Whoever closes a
/// batch that is closed already changes nothing.
pub async fn close(pool: &Pool, now: DateTime<Utc>, id: Uuid) -> Result<(), StoreError> {
    advance(pool, now, Some(id), None).await.map(drop)
}

async fn close_in(tx: &mut AsyncPgConnection, now: DateTime<Utc>, id: Uuid) -> Result<(), TxError> {
    let closed = diesel::update(
        ingest_batch::table
            .find(id)
            .filter(ingest_batch::state.eq("open")),
    )
    .set((
        ingest_batch::state.eq("done"),
        ingest_batch::closed_at.eq(now),
    ))
    .execute(tx)
    .await?;
    if closed == 0 {
        return Ok(());
    }
    diesel::sql_query(
        "UPDATE ingest_lane l SET next_offset = r.hi + 1, open_batch = NULL FROM ingest_range r \
         WHERE r.batch_id = $1 AND NOT r.parked AND l.topic = r.topic AND l.partition = r.partition \
           AND l.next_offset = r.lo",
    )
    .bind::<SqlUuid, _>(id)
    .execute(tx)
    .await?;
    match lane_that_stayed(tx, id).await? {
        Some((topic, partition, expected)) => {
            let lane = LaneId { topic, partition };
            Err(TxError::Store(StoreError::LaneMoved {
                batch: id,
                lane,
                expected,
            }))
        }
        None => release_parked(tx, id).await,
    }
}

/// A lane of the batch that its closing did not move: it does not stand where the batch began.
async fn lane_that_stayed(
    tx: &mut AsyncPgConnection,
    id: Uuid,
) -> Result<Option<(String, i32, i64)>, TxError> {
    Ok(ingest_range::table
        .left_join(
            ingest_lane::table.on(ingest_lane::topic
                .eq(ingest_range::topic)
                .and(ingest_lane::partition.eq(ingest_range::partition))
                .and(ingest_lane::next_offset.eq(ingest_range::hi + 1))),
        )
        .filter(ingest_range::batch_id.eq(id))
        .filter(ingest_range::parked.eq(false))
        .filter(ingest_lane::topic.nullable().is_null())
        .select((
            ingest_range::topic,
            ingest_range::partition,
            ingest_range::lo,
        ))
        .first(tx)
        .await
        .optional()?)
}

async fn release_parked(tx: &mut AsyncPgConnection, id: Uuid) -> Result<(), TxError> {
    diesel::update(ingest_lane::table.filter(ingest_lane::open_batch.eq(id)))
        .set(ingest_lane::open_batch.eq(None::<Uuid>))
        .execute(tx)
        .await?;
    Ok(())
}

#[derive(diesel::QueryableByName)]
struct Held {
    #[diesel(sql_type = Text)]
    topic: String,
    #[diesel(sql_type = Integer)]
    partition: i32,
}

async fn open_in(
    tx: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    batch: &Batch,
) -> Result<Opening, TxError> {
    let opened = tx
        .transaction(async |tx| {
            // waits for the end of an earlier call of the same opening whose answer was lost
            if !store_in(tx, now, batch).await? {
                return Ok(());
            }
            if let Some(not_before) = settlings::too_early(tx, batch.decided_at).await? {
                return Err(NotOpened::Stale(not_before));
            }
            let held = hold_lanes(tx, batch).await?;
            let lost: Vec<LaneId> = batch
                .ranges
                .iter()
                .filter(|range| {
                    !held
                        .iter()
                        .any(|h| h.topic == range.lane.topic && h.partition == range.lane.partition)
                })
                .map(|range| range.lane.clone())
                .collect();
            if lost.is_empty() {
                Ok(())
            } else {
                Err(NotOpened::Lost(lost))
            }
        })
        .await;
    match opened {
        Ok(()) => Ok(Opening::Opened),
        Err(NotOpened::Lost(lanes)) => Ok(Opening::LanesLost(lanes)),
        Err(NotOpened::Stale(not_before)) => Ok(Opening::Stale(not_before)),
        Err(NotOpened::Failed(error)) => Err(error),
    }
}

/// Why the inner transaction was rolled back.
enum NotOpened {
    Lost(Vec<LaneId>),
    Stale(DateTime<Utc>),
    Failed(TxError),
}

impl From<diesel::result::Error> for NotOpened {
    fn from(source: diesel::result::Error) -> Self {
        Self::Failed(source.into())
    }
}

impl From<TxError> for NotOpened {
    fn from(error: TxError) -> Self {
        Self::Failed(error)
    }
}

/// Stores the intent, unless it is stored already.
async fn store_in(
    tx: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    batch: &Batch,
) -> Result<bool, TxError> {
    let stored = diesel::insert_into(ingest_batch::table)
        .values((
            ingest_batch::id.eq(batch.id),
            ingest_batch::owner.eq(&batch.owner),
            ingest_batch::codec.eq(batch.codec),
            ingest_batch::decided_at.eq(batch.decided_at),
            ingest_batch::dedup_window.eq(batch.dedup_window),
            ingest_batch::age_limits.eq(&batch.age_limits),
            ingest_batch::attempt.eq(1),
            ingest_batch::state.eq("open"),
            ingest_batch::opened_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(tx)
        .await?;
    if stored == 0 {
        return Ok(false);
    }
    let ranges = batch.ranges.iter().map(|range| {
        let verdicts = serde_json::to_value(&range.verdicts).map_err(|error| {
            TxError::Store(StoreError::Unreadable {
                what: "verdicts",
                detail: error.to_string(),
            })
        })?;
        Ok((
            ingest_range::batch_id.eq(batch.id),
            ingest_range::topic.eq(&range.lane.topic),
            ingest_range::partition.eq(range.lane.partition),
            ingest_range::lo.eq(range.lo),
            ingest_range::hi.eq(range.hi),
            ingest_range::records.eq(range.records),
            ingest_range::hash.eq(range.hash),
            ingest_range::verdicts.eq(verdicts),
            ingest_range::parked.eq(range.parked),
        ))
    });
    diesel::insert_into(ingest_range::table)
        .values(ranges.collect::<Result<Vec<_>, TxError>>()?)
        .execute(tx)
        .await?;
    Ok(true)
}

async fn hold_lanes(tx: &mut AsyncPgConnection, batch: &Batch) -> Result<Vec<Held>, TxError> {
    let ranges = &batch.ranges;
    Ok(diesel::sql_query(
        "UPDATE ingest_lane l SET open_batch = $1 \
         FROM unnest($2, $3, $4, $5) AS r (topic, partition, epoch, lo) \
         WHERE l.topic = r.topic AND l.partition = r.partition AND l.epoch = r.epoch \
           AND l.next_offset = r.lo AND l.open_batch IS NULL \
         RETURNING l.topic, l.partition",
    )
    .bind::<SqlUuid, _>(batch.id)
    .bind::<Array<Text>, _>(
        ranges
            .iter()
            .map(|r| r.lane.topic.as_str())
            .collect::<Vec<_>>(),
    )
    .bind::<Array<Integer>, _>(ranges.iter().map(|r| r.lane.partition).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(ranges.iter().map(|r| r.epoch).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(ranges.iter().map(|r| r.lo).collect::<Vec<_>>())
    .load(tx)
    .await?)
}

/// Announces the attempt after `last`, unless somebody else announced it first or the batch is closed.
pub async fn next_attempt(pool: &Pool, id: Uuid, last: i32) -> Result<Option<i32>, StoreError> {
    let operation = "announce an attempt";
    let mut connection = pool.get(operation).await?;
    let open = ingest_batch::state
        .eq("open")
        .and(ingest_batch::attempt.eq(last));
    let announced = diesel::update(ingest_batch::table.find(id).filter(open))
        .set(ingest_batch::attempt.eq(last + 1))
        .execute(&mut connection)
        .await
        .map_err(|source| StoreError::Query { operation, source })?;
    Ok((announced == 1).then_some(last + 1))
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
        opened_at: row.opened_at,
        batch: Batch {
            id: row.id,
            owner: row.owner,
            codec: row.codec,
            decided_at: row.decided_at,
            dedup_window: row.dedup_window,
            age_limits: row.age_limits,
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
    })
}

/// Marks a range as parked: its log no longer reads as stored.
pub async fn park(pool: &Pool, id: Uuid, lane: &LaneId) -> Result<(), StoreError> {
    let operation = "park a range";
    let mut connection = pool.get(operation).await?;
    diesel::update(ingest_range::table.find((id, &lane.topic, lane.partition)))
        .set(ingest_range::parked.eq(true))
        .execute(&mut connection)
        .await
        .map(drop)
        .map_err(|source| StoreError::Query { operation, source })
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

/// Forgets batches that were closed before `before`, a bounded number at a time, and returns how many.
pub async fn forget_closed(pool: &Pool, before: DateTime<Utc>) -> Result<usize, StoreError> {
    let operation = "forget closed batches";
    let mut connection = pool.get(operation).await?;
    diesel::sql_query(
        "DELETE FROM ingest_batch WHERE id IN \
         (SELECT id FROM ingest_batch WHERE state = 'done' AND closed_at < $1 LIMIT 10000)",
    )
    .bind::<Timestamptz, _>(before)
    .execute(&mut connection)
    .await
    .map_err(|source| StoreError::Query { operation, source })
}
