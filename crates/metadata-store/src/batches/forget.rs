//! Forgetting what nobody will ask for any more.

use crate::{Pool, StoreError};
use chrono::{DateTime, Utc};
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;
use std::time::Duration;

/// Closed batches stay so long, for whoever looks into what happened, and for those who keep answers and ask what was
/// touched since.
pub const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// Forgets batches that were closed before `before`, a bounded number at a time, and returns how many. A batch with a
/// parked range stays until its lane stands behind it: until then somebody has to decide about the range.
pub async fn forget_closed(pool: &Pool, before: DateTime<Utc>) -> Result<usize, StoreError> {
    let operation = "forget closed batches";
    let mut connection = pool.get(operation).await?;
    diesel::sql_query(
        "DELETE FROM ingest_batch WHERE id IN ( \
             SELECT b.id FROM ingest_batch b WHERE b.state = 'done' AND b.closed_at < $1 AND NOT EXISTS ( \
                 SELECT FROM ingest_range r WHERE r.batch_id = b.id AND r.parked AND NOT EXISTS ( \
                     SELECT FROM ingest_lane l \
                     WHERE l.topic = r.topic AND l.partition = r.partition AND l.next_offset > r.hi)) \
             LIMIT 10000)",
    )
    .bind::<Timestamptz, _>(before)
    .execute(&mut connection)
    .await
    .map_err(|source| StoreError::Query { operation, source })
}
