//! Ending a key for good.

use super::{Key, rows::KeyRow, stored, subject};
use crate::{
    Pool, StoreError,
    audit::{self, Act},
    error::TxError,
    schema::api_key,
};
use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use serde_json::json;
use uuid::Uuid;

/// Revokes a key, if it is known, and returns it. One that is revoked stays as it is, and the audit tells it once.
///
/// # Errors
/// PostgreSQL refuses an actor or a request id that is empty or too long. Nothing is changed then.
pub async fn revoke(
    pool: &Pool,
    now: DateTime<Utc>,
    act: &Act,
    id: Uuid,
) -> Result<Option<Key>, StoreError> {
    let operation = "revoke a key";
    let mut connection = pool.get(operation).await?;
    connection
        .transaction(async |tx| {
            let row = match stored::lock(tx, id).await? {
                None => return Ok(None),
                Some(row) if row.revoked_at.is_some() => row,
                Some(_) => end(tx, now, act, id).await?,
            };
            stored::complete(tx, row).await.map(Some)
        })
        .await
        .map_err(|error: TxError| error.during(operation))
}

async fn end(
    tx: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    act: &Act,
    id: Uuid,
) -> Result<KeyRow, TxError> {
    let row = diesel::update(api_key::table.find(id))
        .set(api_key::revoked_at.eq(now))
        .returning(KeyRow::as_returning())
        .get_result(tx)
        .await?;
    audit::append(tx, act, "api_key.revoke", &subject(id), &json!({})).await?;
    Ok(row)
}
