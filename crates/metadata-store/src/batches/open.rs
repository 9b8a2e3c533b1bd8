//! Opening: the intent is stored and holds its lanes, or nothing is stored.

use super::Batch;
use crate::{
    LaneId,
    clock::{self, ClockAhead},
    error::TxError,
    quiet,
    schema::{ingest_batch, ingest_range},
    settlings,
};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Text, Uuid as SqlUuid};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};

/// What became of a request to open a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Opening {
    /// It is stored and may be written.
    Opened,
    /// Nothing was opened: these lanes are no longer the member's, or stand elsewhere.
    LanesLost(Vec<LaneId>),
    /// Nothing was opened: the batch was judged too long ago. It must be judged at this time or later.
    Stale(DateTime<Utc>),
    /// Nothing was opened: the batch was judged by a clock that is ahead. It must be judged anew when the clock is right.
    Ahead(ClockAhead),
    /// Nothing was opened: a migration is under way, or waits for what is open. To be tried again.
    Migrating,
}

#[derive(diesel::QueryableByName)]
struct Held {
    #[diesel(sql_type = Text)]
    topic: String,
    #[diesel(sql_type = Integer)]
    partition: i32,
}

/// Stores the intent and lets it hold its lanes; a refusal leaves the outer transaction as it was.
pub(super) async fn open_in(
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
            if !quiet::may_open(tx).await? {
                return Err(NotOpened::Migrating);
            }
            if let Some(not_before) = settlings::too_early(tx, batch.decided_at).await? {
                return Err(NotOpened::Stale(not_before));
            }
            if let Some(ahead) = clock::ahead(tx, batch.decided_at).await? {
                return Err(NotOpened::Ahead(ahead));
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
        Err(NotOpened::Ahead(ahead)) => Ok(Opening::Ahead(ahead)),
        Err(NotOpened::Migrating) => Ok(Opening::Migrating),
        Err(NotOpened::Failed(error)) => Err(error),
    }
}

/// Why the inner transaction was rolled back.
enum NotOpened {
    Lost(Vec<LaneId>),
    Stale(DateTime<Utc>),
    Ahead(ClockAhead),
    Migrating,
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
        .values(batch.row(now)?)
        .on_conflict_do_nothing()
        .execute(tx)
        .await?;
    if stored == 0 {
        return Ok(false);
    }
    diesel::insert_into(ingest_range::table)
        .values(batch.range_rows()?)
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
