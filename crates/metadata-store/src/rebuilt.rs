//! Batches that this database has forgotten, or holds for closed while a lane of theirs was set back: they are stored
//! again from what ClickHouse knows of them, and closed where their lanes stand.

use crate::{
    LaneId, Pool, StoreError,
    batches::{self, Batch},
    error::TxError,
    locks, quiet,
    schema::{ingest_batch, ingest_range, settle_batch},
};
use chrono::{DateTime, Utc};
use diesel::{
    ExpressionMethods, QueryDsl,
    sql_types::{BigInt, Integer, Text, Uuid as SqlUuid},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

pub use crate::locks::Turn;

/// Stores the batch as open, whatever was stored of it, and lets it hold those of its lanes that it would move.
///
/// The attempts that were ever made at it are not known, so they must have been ended before.
pub async fn store(pool: &Pool, now: DateTime<Utc>, batch: &Batch) -> Result<(), StoreError> {
    let operation = "store a forgotten batch";
    let mut connection = pool.get(operation).await?;
    connection
        .transaction(async |tx| {
            quiet::wait_to_open(tx).await?;
            store_intent(tx, now, batch).await?;
            hold_lanes(tx, batch.id).await?;
            choose_ranges(tx, batch.id).await
        })
        .await
        .map_err(|error: TxError| error.during(operation))
}

async fn store_intent(
    tx: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    batch: &Batch,
) -> Result<(), TxError> {
    diesel::insert_into(ingest_batch::table)
        .values(batch.row(now)?)
        .on_conflict(ingest_batch::id)
        .do_update()
        .set((
            ingest_batch::state.eq("open"),
            ingest_batch::closed_at.eq(None::<DateTime<Utc>>),
            ingest_batch::stored_by.eq(None::<DateTime<Utc>>),
        ))
        .execute(tx)
        .await?;
    diesel::insert_into(ingest_range::table)
        .values(batch.range_rows()?)
        .on_conflict_do_nothing()
        .execute(tx)
        .await?;
    Ok(())
}

/// A lane behind its range has had it. A range that did not read as stored stays parked while its lane stands still, for
/// an operator has to decide about it; so does one about which he has decided, or that another batch has now. None of
/// these is read again, and all the others are. The lanes are held by then, so that no other batch can open on them
/// before the commit.
async fn choose_ranges(tx: &mut AsyncPgConnection, batch: Uuid) -> Result<(), TxError> {
    diesel::sql_query(
        "UPDATE ingest_range r \
         SET parked = l.next_offset > r.hi OR (r.omission IS NOT NULL AND (l.next_offset > r.lo \
             OR l.stopped_reason IS NOT NULL OR coalesce(l.open_batch <> r.batch_id, false))) FROM ingest_lane l \
         WHERE r.batch_id = $1 AND l.topic = r.topic AND l.partition = r.partition",
    )
    .bind::<SqlUuid, _>(batch)
    .execute(tx)
    .await?;
    Ok(())
}

/// Whoever takes such a lane over meanwhile finds the batch and finishes it.
async fn hold_lanes(tx: &mut AsyncPgConnection, batch: Uuid) -> Result<(), TxError> {
    diesel::sql_query(
        "UPDATE ingest_lane l SET open_batch = r.batch_id FROM ingest_range r \
         WHERE r.batch_id = $1 AND l.topic = r.topic AND l.partition = r.partition \
           AND l.next_offset BETWEEN r.lo AND r.hi AND l.open_batch IS NULL",
    )
    .bind::<SqlUuid, _>(batch)
    .execute(tx)
    .await?;
    Ok(())
}

/// Closes a batch that is whole in ClickHouse: every lane that stands within its range moves behind it, and no other.
/// Returns the lanes that stand elsewhere, and where. A batch that is closed already changes nothing.
pub async fn close(
    pool: &Pool,
    now: DateTime<Utc>,
    id: Uuid,
) -> Result<Vec<(LaneId, i64)>, StoreError> {
    let operation = "close a batch where its lanes stand";
    let mut connection = pool.get(operation).await?;
    connection
        .transaction(async |tx| {
            if !batches::end(tx, now, id).await? {
                return Ok(Vec::new());
            }
            move_lanes(tx, id).await?;
            elsewhere(tx, id).await
        })
        .await
        .map_err(|error: TxError| error.during(operation))
}

async fn move_lanes(tx: &mut AsyncPgConnection, id: Uuid) -> Result<(), TxError> {
    for statement in [
        "UPDATE ingest_lane l SET next_offset = r.hi + 1 FROM ingest_range r \
         WHERE r.batch_id = $1 AND NOT r.parked AND l.topic = r.topic AND l.partition = r.partition \
           AND l.next_offset BETWEEN r.lo AND r.hi",
        "UPDATE ingest_lane SET open_batch = NULL WHERE open_batch = $1",
    ] {
        diesel::sql_query(statement)
            .bind::<SqlUuid, _>(id)
            .execute(tx)
            .await?;
    }
    Ok(())
}

#[derive(diesel::QueryableByName)]
struct Standing {
    #[diesel(sql_type = Text)]
    topic: String,
    #[diesel(sql_type = Integer)]
    partition: i32,
    #[diesel(sql_type = BigInt)]
    next_offset: i64,
}

async fn elsewhere(tx: &mut AsyncPgConnection, id: Uuid) -> Result<Vec<(LaneId, i64)>, TxError> {
    let rows: Vec<Standing> = diesel::sql_query(
        "SELECT l.topic, l.partition, l.next_offset FROM ingest_lane l, ingest_range r \
         WHERE r.batch_id = $1 AND NOT r.parked AND l.topic = r.topic AND l.partition = r.partition \
           AND l.next_offset <> r.hi + 1",
    )
    .bind::<SqlUuid, _>(id)
    .load(tx)
    .await?;
    let standing = |row: Standing| {
        let lane = LaneId {
            topic: row.topic,
            partition: row.partition,
        };
        (lane, row.next_offset)
    };
    Ok(rows.into_iter().map(standing).collect())
}

/// Frees lanes that are held by a batch which is not stored: nobody could ever close it.
pub async fn free_lanes_of_nothing(pool: &Pool, id: Uuid) -> Result<(), StoreError> {
    let operation = "free lanes of a forgotten batch";
    let mut connection = pool.get(operation).await?;
    diesel::sql_query(
        "UPDATE ingest_lane SET open_batch = NULL \
         WHERE open_batch = $1 AND NOT EXISTS (SELECT FROM ingest_batch WHERE id = $1)",
    )
    .bind::<SqlUuid, _>(id)
    .execute(&mut connection)
    .await
    .map(drop)
    .map_err(|source| StoreError::Query { operation, source })
}

/// Takes the turn to put back what this database has forgotten, unless another process has it.
pub async fn take_turn(pool: &Pool) -> Result<Option<Turn>, StoreError> {
    let operation = "take the turn to put back what was forgotten";
    locks::try_turn(pool, operation, locks::PUTTING_BACK).await
}

/// The latest settlings that are stored, at most so many: id, and the time that its rows carry.
pub async fn latest_settlings(
    pool: &Pool,
    most: i64,
) -> Result<Vec<(Uuid, DateTime<Utc>)>, StoreError> {
    let operation = "read the latest settlings";
    let mut connection = pool.get(operation).await?;
    settle_batch::table
        .order(settle_batch::settled_at.desc())
        .limit(most)
        .select((settle_batch::id, settle_batch::settled_at))
        .load(&mut connection)
        .await
        .map_err(|source| StoreError::Query { operation, source })
}
