//! Where lanes stand, beside what the ledger in ClickHouse tells of them.

use super::{Lane, all};
use crate::{
    LaneId, Pool, StoreError,
    schema::{ingest_batch, ingest_range},
};
use diesel::{ExpressionMethods, QueryDsl, dsl::max};
use diesel_async::RunQueryDsl;
use std::collections::HashMap;

/// A lane, and how far it is known what was decided about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The lane.
    pub lane: Lane,
    /// Nothing from here on was decided about: everything before is durable, or in an open batch. `None` where the lane
    /// stands still: it was stopped before it came to what was decided.
    pub known_until: Option<i64>,
}

/// Where all lanes stand, ordered by topic and partition.
///
/// What the ledger tells before this is asked, and what is known of when it is, is in it: a batch is opened before it is
/// written, and its ranges are read before the lanes that they become durable in.
pub async fn standings(pool: &Pool) -> Result<Vec<Standing>, StoreError> {
    let held = held(pool).await?;
    let standing = |lane: Lane| {
        let end = held.get(&lane.id()).map_or(0, |last| last + 1);
        let stands_still = lane.stopped_reason.is_some() || lane.is_retired();
        Standing {
            known_until: (!stands_still).then_some(end.max(lane.next_offset)),
            lane,
        }
    };
    Ok(all(pool).await?.into_iter().map(standing).collect())
}

/// The last offsets that open batches hold, by lane.
async fn held(pool: &Pool) -> Result<HashMap<LaneId, i64>, StoreError> {
    let operation = "read the ranges of open batches";
    let mut connection = pool.get(operation).await?;
    let rows: Vec<(String, i32, Option<i64>)> = ingest_range::table
        .inner_join(ingest_batch::table)
        .filter(ingest_batch::state.eq("open"))
        .group_by((ingest_range::topic, ingest_range::partition))
        .select((
            ingest_range::topic,
            ingest_range::partition,
            max(ingest_range::hi),
        ))
        .load(&mut connection)
        .await
        .map_err(|source| StoreError::Query { operation, source })?;
    let held = rows.into_iter().filter_map(|(topic, partition, last)| {
        let lane = LaneId { topic, partition };
        last.map(|last| (lane, last))
    });
    Ok(held.collect())
}
