//! What recovery announces: its attempts, and ranges that it has to leave.

use crate::{
    LaneId, Pool, StoreError,
    schema::{ingest_batch, ingest_range},
};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl};
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
