//! Giving a key another secret.

use super::{Fingerprint, Key, rows::KeyRow, stored, subject};
use crate::{
    Pool, StoreError,
    audit::{self, Act},
    error::TxError,
    schema::api_key_secret,
};
use chrono::{DateTime, Utc};
use diesel::{BoolExpressionMethods, ExpressionMethods};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use serde_json::json;
use uuid::Uuid;

/// What became of a request to rotate a key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "it may not have been rotated"]
pub enum Rotation {
    /// It has the new secret, and is now so.
    Rotated(Key),
    /// Nothing was changed: there is no such key.
    Unknown,
    /// Nothing was changed: it was revoked then.
    Revoked(DateTime<Utc>),
    /// Nothing was changed: it has expired then.
    Expired(DateTime<Utc>),
}

/// Gives a key a new secret. Those that it has end at `old_until`, unless they end before.
///
/// # Errors
/// PostgreSQL refuses a hash that it has already, and a hint, an actor or a request id that is empty or too long. Nothing
/// is changed then.
pub async fn rotate(
    pool: &Pool,
    now: DateTime<Utc>,
    act: &Act,
    id: Uuid,
    fingerprint: &Fingerprint,
    old_until: DateTime<Utc>,
) -> Result<Rotation, StoreError> {
    let operation = "rotate a key";
    let mut connection = pool.get(operation).await?;
    connection
        .transaction(async |tx| {
            let Some(row) = stored::lock(tx, id).await? else {
                return Ok(Rotation::Unknown);
            };
            if let Some(refusal) = refusal(&row, now) {
                return Ok(refusal);
            }
            end_secrets(tx, id, old_until).await?;
            diesel::insert_into(api_key_secret::table)
                .values(fingerprint.row(now, id))
                .execute(tx)
                .await?;
            let detail = json!({ "old_until": old_until });
            audit::append(tx, act, "api_key.rotate", &subject(id), &detail).await?;
            stored::complete(tx, row).await.map(Rotation::Rotated)
        })
        .await
        .map_err(|error: TxError| error.during(operation))
}

fn refusal(row: &KeyRow, now: DateTime<Utc>) -> Option<Rotation> {
    let expired = row.expires_at.filter(|end| *end <= now);
    let revoked = row.revoked_at.map(Rotation::Revoked);
    revoked.or(expired.map(Rotation::Expired))
}

async fn end_secrets(
    tx: &mut AsyncPgConnection,
    id: Uuid,
    until: DateTime<Utc>,
) -> Result<(), TxError> {
    let goes_on = api_key_secret::expires_at
        .is_null()
        .or(api_key_secret::expires_at.gt(until));
    diesel::update(api_key_secret::table)
        .filter(api_key_secret::key_id.eq(id))
        .filter(goes_on)
        .set(api_key_secret::expires_at.eq(until))
        .execute(tx)
        .await?;
    Ok(())
}
