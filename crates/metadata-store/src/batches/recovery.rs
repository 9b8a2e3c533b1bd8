//! What recovery announces: its attempts, and ranges that it has to leave.

use crate::{LaneId, Pool, StoreError, schema::ingest_batch};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, QueryDsl,
    sql_types::{Integer, Text, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
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

/// Marks a range as parked: its log no longer reads as stored. What is inserted of the batch from now on lacks it, so
/// this comes first. One that was parked before keeps its `omission`.
pub async fn park(pool: &Pool, id: Uuid, lane: &LaneId, omission: i32) -> Result<(), StoreError> {
    let operation = "park a range";
    let mut connection = pool.get(operation).await?;
    diesel::sql_query(
        "UPDATE ingest_range SET parked = true, omission = coalesce(omission, $4) \
         WHERE batch_id = $1 AND topic = $2 AND partition = $3",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(&lane.topic)
    .bind::<Integer, _>(lane.partition)
    .bind::<Integer, _>(omission)
    .execute(&mut connection)
    .await
    .map(drop)
    .map_err(|source| StoreError::Query { operation, source })
}
