//! Forgetting what nobody will ask for any more.

use crate::{Pool, StoreError};
use chrono::{DateTime, Utc};
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;

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
