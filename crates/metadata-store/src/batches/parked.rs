//! Ranges that were parked and about which nobody has decided yet.

use crate::{
    LaneId, Pool, StoreError,
    schema::{ingest_batch, ingest_range},
};
use diesel::{ExpressionMethods, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

/// A range of a lane that no longer read as its batch had stored it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Parked {
    /// The batch.
    pub batch: Uuid,
    /// First offset.
    pub lo: i64,
    /// Last offset.
    pub hi: i64,
}

impl Parked {
    /// Whether it is the range of this batch that begins there.
    pub fn is_of(&self, batch: Uuid, lo: i64) -> bool {
        self.batch == batch && self.lo == lo
    }
}

/// The parked ranges of a lane that reach to `next` or beyond, in the order of their offsets.
pub async fn parked(pool: &Pool, lane: &LaneId, next: i64) -> Result<Vec<Parked>, StoreError> {
    let operation = "list parked ranges";
    let mut connection = pool.get(operation).await?;
    ingest_range::table
        .inner_join(ingest_batch::table)
        .filter(ingest_range::topic.eq(&lane.topic))
        .filter(ingest_range::partition.eq(lane.partition))
        .filter(ingest_range::parked.eq(true))
        .filter(ingest_range::hi.ge(next))
        .order((ingest_range::lo, ingest_batch::decided_at))
        .select((ingest_range::batch_id, ingest_range::lo, ingest_range::hi))
        .load(&mut connection)
        .await
        .map_err(|source| StoreError::Query { operation, source })
}
