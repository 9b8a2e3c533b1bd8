//! Forgetting what nobody will ask for any more.

use crate::{Pool, StoreError, schema::settle_batch};
use chrono::{DateTime, Utc};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

/// Forgets settlings that were over before `before` and returns how many.
pub async fn forget_done(pool: &Pool, before: DateTime<Utc>) -> Result<usize, StoreError> {
    let operation = "forget settlings";
    let mut connection = pool.get(operation).await?;
    diesel::delete(
        settle_batch::table.filter(
            settle_batch::state
                .eq("done")
                .and(settle_batch::closed_at.lt(before)),
        ),
    )
    .execute(&mut connection)
    .await
    .map_err(|source| StoreError::Query { operation, source })
}
