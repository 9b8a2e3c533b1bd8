//! Keys as they are stored.

use super::{Key, SecretInfo, rows::KeyRow};
use crate::{
    Pool, StoreError,
    error::TxError,
    schema::{api_key, api_key_secret},
};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

/// All keys, oldest first, those that are over included.
pub async fn all(pool: &Pool) -> Result<Vec<Key>, StoreError> {
    load(pool, "read the keys", None).await
}

/// One key, if it is known.
pub async fn find(pool: &Pool, id: Uuid) -> Result<Option<Key>, StoreError> {
    let keys = load(pool, "read a key", Some(id)).await?;
    Ok(keys.into_iter().next())
}

/// One key, or all of them, in one statement: a key and its secrets are of the same moment.
async fn load(
    pool: &Pool,
    operation: &'static str,
    id: Option<Uuid>,
) -> Result<Vec<Key>, StoreError> {
    let mut query = api_key::table
        .left_join(api_key_secret::table)
        .order((
            api_key::created_at,
            api_key::id,
            api_key_secret::created_at,
            api_key_secret::expires_at,
        ))
        .select((KeyRow::as_select(), Option::<SecretInfo>::as_select()))
        .into_boxed();
    if let Some(id) = id {
        query = query.filter(api_key::id.eq(id));
    }
    let mut connection = pool.get(operation).await?;
    let rows = query
        .load(&mut connection)
        .await
        .map_err(|source| StoreError::Query { operation, source })?;
    with_secrets(rows)
}

/// Keys whose rows follow each other, one for each secret.
fn with_secrets(rows: Vec<(KeyRow, Option<SecretInfo>)>) -> Result<Vec<Key>, StoreError> {
    let mut keys: Vec<Key> = Vec::new();
    for (row, secret) in rows {
        match keys.last_mut() {
            Some(key) if key.id == row.id => key.secrets.extend(secret),
            _ => keys.push(row.read(secret.into_iter().collect())?),
        }
    }
    Ok(keys)
}

/// One key. Nobody else changes it, or its secrets, until the transaction ends.
pub(super) async fn lock(tx: &mut AsyncPgConnection, id: Uuid) -> Result<Option<KeyRow>, TxError> {
    Ok(api_key::table
        .find(id)
        .select(KeyRow::as_select())
        .for_update()
        .first(tx)
        .await
        .optional()?)
}

/// The key of a row that does not change meanwhile.
pub(super) async fn complete(tx: &mut AsyncPgConnection, row: KeyRow) -> Result<Key, TxError> {
    let secrets = api_key_secret::table
        .filter(api_key_secret::key_id.eq(row.id))
        .order((api_key_secret::created_at, api_key_secret::expires_at))
        .select(SecretInfo::as_select())
        .load(tx)
        .await?;
    row.read(secrets).map_err(TxError::Store)
}
