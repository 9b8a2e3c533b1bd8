//! The rows that a key is stored as.

use super::{Fingerprint, Key, NewKey, SecretInfo};
use crate::{
    StoreError,
    schema::{api_key, api_key_secret},
};
use chrono::{DateTime, Utc};
use diesel::{Insertable, Queryable, Selectable};
use serde_json::Value;
use shared_schema::access::{Place, Role, Scope};
use std::fmt::Display;
use uuid::Uuid;

/// All of a key but its secrets.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = api_key, check_for_backend(diesel::pg::Pg))]
pub(super) struct KeyRow {
    pub(super) id: Uuid,
    name: String,
    role: String,
    regions: Option<Value>,
    may_read_pii: bool,
    created_at: DateTime<Utc>,
    created_by: String,
    pub(super) expires_at: Option<DateTime<Utc>>,
    pub(super) revoked_at: Option<DateTime<Utc>>,
}

/// One of its secrets.
#[derive(Insertable)]
#[diesel(table_name = api_key_secret, check_for_backend(diesel::pg::Pg))]
pub(super) struct NewSecret<'a> {
    hash: &'a [u8],
    key_id: Uuid,
    hint: &'a str,
    created_at: DateTime<Utc>,
}

impl NewKey {
    pub(super) fn row(self, now: DateTime<Utc>, by: &str) -> Result<KeyRow, StoreError> {
        Ok(KeyRow {
            id: self.id,
            name: self.name,
            role: self.role.as_str().to_owned(),
            regions: regions(self.scope)?,
            may_read_pii: self.may_read_pii,
            created_at: now,
            created_by: by.to_owned(),
            expires_at: self.expires_at,
            revoked_at: None,
        })
    }
}

impl Fingerprint {
    /// Of a secret without an end of its own.
    pub(super) fn row(&self, now: DateTime<Utc>, key: Uuid) -> NewSecret<'_> {
        NewSecret {
            hash: &self.hash,
            key_id: key,
            hint: &self.hint,
            created_at: now,
        }
    }
}

impl KeyRow {
    pub(super) fn read(self, secrets: Vec<SecretInfo>) -> Result<Key, StoreError> {
        Ok(Key {
            id: self.id,
            name: self.name,
            role: Role::parse(&self.role).ok_or_else(|| unreadable(ROLE, &self.role))?,
            scope: self.regions.map_or(Ok(Scope::Everywhere), scope)?,
            may_read_pii: self.may_read_pii,
            created_at: self.created_at,
            created_by: self.created_by,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            secrets,
        })
    }
}

const ROLE: &str = "role of a key";
const REGIONS: &str = "regions of a key";

fn regions(scope: Scope) -> Result<Option<Value>, StoreError> {
    let places: Option<Vec<Place>> = scope.into();
    let regions = places.map(serde_json::to_value).transpose();
    regions.map_err(|error| unreadable(REGIONS, error))
}

/// Read as places, not as a scope: `null`, which nobody has stored, would be everywhere.
fn scope(regions: Value) -> Result<Scope, StoreError> {
    let places: Vec<Place> =
        serde_json::from_value(regions).map_err(|error| unreadable(REGIONS, error))?;
    Scope::within(places).map_err(|error| unreadable(REGIONS, error))
}

fn unreadable(what: &'static str, detail: impl Display) -> StoreError {
    StoreError::Unreadable {
        what,
        detail: detail.to_string(),
    }
}
