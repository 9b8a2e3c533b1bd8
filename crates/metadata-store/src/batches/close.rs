//! Closing: the batch is done and its lanes stand behind it.

use crate::{
    LaneId, StoreError,
    error::TxError,
    schema::{ingest_batch, ingest_lane, ingest_range},
};
use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, IntoSql, JoinOnDsl, NullableExpressionMethods,
    OptionalExtension, QueryDsl, dsl,
    sql_types::{Nullable, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

/// Closes the batch, unless it is closed.
pub(super) async fn close_in(
    tx: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    id: Uuid,
) -> Result<(), TxError> {
    if !end(tx, now, id).await? {
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

/// Says that the batch is done. Answers whether it was open.
pub(crate) async fn end(
    tx: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    id: Uuid,
) -> Result<bool, diesel::result::Error> {
    let open = ingest_batch::state.eq("open");
    let ended = diesel::update(ingest_batch::table.find(id).filter(open))
        .set((
            ingest_batch::state.eq("done"),
            ingest_batch::closed_at.eq(now),
            ingest_batch::stored_by.eq(dsl::now.into_sql::<Nullable<Timestamptz>>()),
        ))
        .execute(tx)
        .await?;
    Ok(ended > 0)
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
