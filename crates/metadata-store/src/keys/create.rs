//! Making a key.

use super::{Fingerprint, Key, NewKey, rows::KeyRow, stored, subject};
use crate::{
    Pool, StoreError,
    audit::{self, Act},
    error::TxError,
    schema::{api_key, api_key_secret},
};
use chrono::{DateTime, Utc};
use diesel::SelectableHelper;
use diesel_async::{AsyncConnection, RunQueryDsl};
use serde_json::{Value, json};

/// Stores a new key and its first secret.
///
/// # Errors
/// PostgreSQL refuses an id or a hash that it has already, and a name, a hint, an actor or a request id that is empty or
/// too long. Nothing is stored then.
pub async fn create(
    pool: &Pool,
    now: DateTime<Utc>,
    act: &Act,
    key: NewKey,
    fingerprint: &Fingerprint,
) -> Result<Key, StoreError> {
    let operation = "create a key";
    let row = key.row(now, &act.actor)?;
    let mut connection = pool.get(operation).await?;
    connection
        .transaction(async |tx| {
            let row: KeyRow = diesel::insert_into(api_key::table)
                .values(row)
                .returning(KeyRow::as_returning())
                .get_result(tx)
                .await?;
            diesel::insert_into(api_key_secret::table)
                .values(fingerprint.row(now, row.id))
                .execute(tx)
                .await?;
            let key = stored::complete(tx, row).await?;
            audit::append(tx, act, "api_key.create", &subject(key.id), &detail(&key)).await?;
            Ok(key)
        })
        .await
        .map_err(|error: TxError| error.during(operation))
}

fn detail(key: &Key) -> Value {
    json!({
        "name": key.name,
        "role": key.role,
        "regions": key.scope,
        "may_read_pii": key.may_read_pii,
        "expires_at": key.expires_at,
    })
}
