//! What a key is.

use crate::schema::api_key_secret;
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};
use shared_schema::access::{Role, Scope};
use std::fmt;
use uuid::Uuid;

/// A key that is to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// UUIDv7, made by the caller.
    pub id: Uuid,
    /// What people call it; 1 to 100 characters.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// What it may see.
    pub scope: Scope,
    /// Whether it may see personal data.
    pub may_read_pii: bool,
    /// From when on it is refused; never without.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What is stored of the text of a key.
#[derive(Clone)]
pub struct Fingerprint {
    /// SHA-256 of the whole text.
    pub hash: [u8; 32],
    /// Its first characters, 1 to 20, by which people recognise it.
    pub hint: String,
}

/// Without the hash: whoever has a guess could try it there.
impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fingerprint")
            .field("hint", &self.hint)
            .finish_non_exhaustive()
    }
}

/// A key as it is stored. Times are exact to the microsecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its id, which is no secret.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// What it may see.
    pub scope: Scope,
    /// Whether it may see personal data.
    pub may_read_pii: bool,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Who created it.
    pub created_by: String,
    /// From when on it is refused; never without.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked, if it was. It is refused then, whatever the clocks say.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Its secrets, oldest first, those that have ended included.
    pub secrets: Vec<SecretInfo>,
}

/// What may be told of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = api_key_secret, check_for_backend(diesel::pg::Pg))]
pub struct SecretInfo {
    /// The first characters of its text.
    pub hint: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From when on it is refused; as long as its key lasts without. At most one of a key has none.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What the [audit](crate::audit) calls a key.
#[must_use]
pub fn subject(id: Uuid) -> String {
    format!("api_key/{id}")
}
