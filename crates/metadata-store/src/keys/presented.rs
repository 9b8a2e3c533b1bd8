//! What a request shows.

use super::{Key, SecretInfo, rows::KeyRow};
use crate::{
    Pool, StoreError,
    schema::{api_key, api_key_secret},
};
use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

diesel::alias!(api_key_secret as shown: Shown);

/// A key, and the one of its secrets by which it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The key.
    pub key: Key,
    /// From when on the secret is refused; as long as its key lasts without.
    pub secret_expires_at: Option<DateTime<Utc>>,
}

impl Presented {
    /// Whether it opens anything at this time.
    #[must_use]
    pub fn is_valid_at(&self, now: DateTime<Utc>) -> bool {
        // the clock of whoever has revoked it may be ahead
        let is_revoked = self.key.revoked_at.is_some();
        !is_revoked && self.valid_until().is_none_or(|end| now < end)
    }

    /// When it ends, or has ended: the least of the ends of the key and the secret. It never does without.
    #[must_use]
    pub fn valid_until(&self) -> Option<DateTime<Utc>> {
        let ends = [
            self.key.expires_at,
            self.key.revoked_at,
            self.secret_expires_at,
        ];
        ends.into_iter().flatten().min()
    }
}

/// The key with a secret of this hash, if there is one, whether it is over or not.
pub async fn by_hash(pool: &Pool, hash: &[u8; 32]) -> Result<Option<Presented>, StoreError> {
    let operation = "look for the key of a request";
    let mut connection = pool.get(operation).await?;
    let rows: Vec<(KeyRow, SecretInfo, Option<DateTime<Utc>>)> = api_key::table
        .inner_join(api_key_secret::table)
        .inner_join(shown.on(shown.field(api_key_secret::key_id).eq(api_key::id)))
        .filter(shown.field(api_key_secret::hash).eq(hash.as_slice()))
        .order((api_key_secret::created_at, api_key_secret::expires_at))
        .select((
            KeyRow::as_select(),
            SecretInfo::as_select(),
            shown.field(api_key_secret::expires_at),
        ))
        .load(&mut connection)
        .await
        .map_err(|source| StoreError::Query { operation, source })?;
    presented(rows)
}

/// The rows tell of one key and one secret by which it was found, a row for each secret that it has.
fn presented(
    rows: Vec<(KeyRow, SecretInfo, Option<DateTime<Utc>>)>,
) -> Result<Option<Presented>, StoreError> {
    let mut found = None;
    let mut secrets = Vec::new();
    for (row, secret, secret_expires_at) in rows {
        secrets.push(secret);
        found = Some((row, secret_expires_at));
    }
    found
        .map(|(row, secret_expires_at)| {
            Ok(Presented {
                key: row.read(secrets)?,
                secret_expires_at,
            })
        })
        .transpose()
}
