//! What recovery announces: its attempts, and ranges that it has to leave.

use crate::{
    LaneId, Pool, StoreError,
    error::TxError,
    schema::{ingest_batch, ingest_range},
};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl,
    dsl::max,
    sql_types::{Array, Integer, Text, Uuid as SqlUuid},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

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

/// Marks ranges as parked, because their log no longer reads as stored, and stops their lanes, each for its reason. What is
/// inserted of the batch from now on lacks them, so this comes first. Answers which of the batch's omissions it is; a
/// range that was parked before keeps its own. Changes nothing, and answers so, where another attempt was announced
/// since, or the batch is closed.
pub async fn park(
    pool: &Pool,
    id: Uuid,
    attempt: i32,
    changed: &[(LaneId, String)],
) -> Result<Option<i32>, StoreError> {
    let operation = "park ranges";
    let mut connection = pool.get(operation).await?;
    connection
        .transaction(async |tx| {
            if !is_last(tx, id, attempt).await? {
                return Ok(None);
            }
            let omission = next_omission(tx, id).await?;
            leave_out(tx, id, omission, changed).await?;
            stop_lanes(tx, changed).await?;
            Ok(Some(omission))
        })
        .await
        .map_err(|error: TxError| error.during(operation))
}

/// Whether this is the attempt under way. It stays so until the transaction ends.
async fn is_last(tx: &mut AsyncPgConnection, id: Uuid, attempt: i32) -> Result<bool, TxError> {
    let found: Option<Uuid> = ingest_batch::table
        .find(id)
        .filter(ingest_batch::state.eq("open"))
        .filter(ingest_batch::attempt.eq(attempt))
        .select(ingest_batch::id)
        .for_update()
        .first(tx)
        .await
        .optional()?;
    Ok(found.is_some())
}

async fn next_omission(tx: &mut AsyncPgConnection, id: Uuid) -> Result<i32, TxError> {
    let last: Option<i32> = ingest_range::table
        .filter(ingest_range::batch_id.eq(id))
        .select(max(ingest_range::omission))
        .first(tx)
        .await?;
    Ok(last.unwrap_or_default() + 1)
}

async fn leave_out(
    tx: &mut AsyncPgConnection,
    id: Uuid,
    omission: i32,
    changed: &[(LaneId, String)],
) -> Result<(), TxError> {
    diesel::sql_query(
        "UPDATE ingest_range r SET parked = true, omission = coalesce(r.omission, $2) \
         FROM unnest($3, $4) AS changed (topic, partition) \
         WHERE r.batch_id = $1 AND r.topic = changed.topic AND r.partition = changed.partition",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Integer, _>(omission)
    .bind::<Array<Text>, _>(topics(changed))
    .bind::<Array<Integer>, _>(partitions(changed))
    .execute(tx)
    .await?;
    Ok(())
}

async fn stop_lanes(
    tx: &mut AsyncPgConnection,
    changed: &[(LaneId, String)],
) -> Result<(), TxError> {
    let reasons: Vec<&str> = changed.iter().map(|(_, reason)| reason.as_str()).collect();
    diesel::sql_query(
        "UPDATE ingest_lane l SET stopped_reason = changed.reason \
         FROM unnest($1, $2, $3) AS changed (topic, partition, reason) \
         WHERE l.topic = changed.topic AND l.partition = changed.partition",
    )
    .bind::<Array<Text>, _>(topics(changed))
    .bind::<Array<Integer>, _>(partitions(changed))
    .bind::<Array<Text>, _>(reasons)
    .execute(tx)
    .await?;
    Ok(())
}

fn topics(changed: &[(LaneId, String)]) -> Vec<&str> {
    let topics = changed.iter().map(|(lane, _)| lane.topic.as_str());
    topics.collect()
}

fn partitions(changed: &[(LaneId, String)]) -> Vec<i32> {
    changed.iter().map(|(lane, _)| lane.partition).collect()
}
