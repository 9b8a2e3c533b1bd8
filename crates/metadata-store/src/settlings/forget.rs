//! Forgetting what nobody will ask for any more.

use crate::{Pool, StoreError};
use chrono::{DateTime, Utc};
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;

/// Forgets settlings that were over before `before` and returns how many. The latest stays, however long ago it was: what
/// is older than it is not compared with the settlements in ClickHouse.
pub async fn forget_done(pool: &Pool, before: DateTime<Utc>) -> Result<usize, StoreError> {
    let operation = "forget settlings";
    let mut connection = pool.get(operation).await?;
    diesel::sql_query(
        "DELETE FROM settle_batch WHERE state = 'done' AND closed_at < $1 \
             AND id <> (SELECT id FROM settle_batch WHERE state = 'done' ORDER BY settled_at DESC, id DESC LIMIT 1)",
    )
    .bind::<Timestamptz, _>(before)
    .execute(&mut connection)
    .await
    .map_err(|source| StoreError::Query { operation, source })
}
