//! What is shown.

use chrono::{DateTime, Utc};
use metadata_store::keys::Key;
use serde::Serialize;
use serde_json::{Value, json};
use shared_schema::access::{Role, Scope};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::KeyText;

/// What a caller may do. Each may also do what those before it may.
#[derive(ToSchema)]
#[schema(as = Role, rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes how a role is written")]
pub(crate) enum RoleShown {
    /// Reads metrics, analyses, definitions and the ledger.
    Viewer,
    /// Also reads dead letters, and opens counts down to their events.
    Analyst,
    /// Does everything within its scope, keys included.
    Admin,
}

/// A state, or a city in it.
#[derive(ToSchema)]
#[schema(as = Place)]
#[expect(dead_code, reason = "it describes how a place is written")]
pub(crate) struct PlaceShown {
    /// The state.
    #[schema(example = "Lagos")]
    state: String,
    /// The city; all of the state without it.
    #[schema(example = "Ikeja", nullable = false)]
    city: Option<String>,
}

/// A key, without what it opens doors with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct KeyShown {
    id: Uuid,
    /// What people call it.
    name: String,
    /// What it may do.
    #[schema(value_type = RoleShown)]
    role: Role,
    /// What it may see: `null` for all regions.
    #[schema(value_type = Option<Vec<PlaceShown>>, required, min_items = 1, max_items = 200)]
    regions: Scope,
    /// Whether it may see phone numbers, names and e-mails.
    pii: bool,
    created_at: DateTime<Utc>,
    /// Who made it: `api_key/` and its id, `token:` with issuer and subject, or `command`.
    created_by: String,
    /// From when on it is refused; `null` if it does not expire.
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
    /// When it was revoked, if it was.
    #[schema(required)]
    revoked_at: Option<DateTime<Utc>>,
    /// Its secrets, oldest first, those that have ended included.
    secrets: Vec<SecretShown>,
}

/// What may be told of a secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Secret)]
pub(crate) struct SecretShown {
    /// The first characters of its text.
    #[schema(example = "ork_3f9a1c")]
    hint: String,
    created_at: DateTime<Utc>,
    /// From when on it is refused; `null` if it lasts as long as its key.
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
}

/// A key with a secret that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewSecret {
    /// What is sent in `X-API-Key`. It is shown this once, and cannot be found out later.
    #[schema(example = "ork_3f9a1c…")]
    secret: String,
    #[serde(flatten)]
    key: KeyShown,
}

/// All keys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Keys {
    /// Those within the caller's scope, oldest first.
    pub(super) keys: Vec<KeyShown>,
}

impl From<Key> for KeyShown {
    fn from(key: Key) -> Self {
        let secrets = key.secrets.into_iter().map(|secret| SecretShown {
            hint: secret.hint,
            created_at: secret.created_at,
            expires_at: secret.expires_at,
        });
        Self {
            id: key.id,
            name: key.name,
            role: key.role,
            regions: key.scope,
            pii: key.may_read_pii,
            created_at: key.created_at,
            created_by: key.created_by,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            secrets: secrets.collect(),
        }
    }
}

impl NewSecret {
    pub(super) fn of(secret: &KeyText, key: Key) -> Self {
        Self {
            secret: secret.expose().to_owned(),
            key: key.into(),
        }
    }
}

/// What the description shows.
pub(super) fn example() -> Value {
    json!({
        "id": "01977c3a-8d2e-7f10-9c55-0b3a4f1e2d6c",
        "name": "nightly dashboard",
        "role": "viewer",
        "regions": null,
        "pii": false,
        "created_at": "2024-02-01T08:30:00Z",
        "created_by": "api_key/01977c3a-0000-7f10-9c55-0b3a4f1e2d6c",
        "expires_at": null,
        "revoked_at": null,
        "secrets": [{"hint": "ork_3f9a1c", "created_at": "2024-02-01T08:30:00Z", "expires_at": null}]
    })
}

/// The same key, differently.
fn example_with(changes: &Value) -> Value {
    let mut example = example();
    if let (Some(fields), Some(changes)) = (example.as_object_mut(), changes.as_object()) {
        fields.extend(changes.clone());
    }
    example
}

pub(super) fn revoked_example() -> Value {
    example_with(&json!({"revoked_at": "2024-03-01T08:30:00Z"}))
}

pub(super) fn made_example() -> Value {
    example_with(&json!({"secret": "ork_3f9a1c…"}))
}

pub(super) fn rotated_example() -> Value {
    example_with(&json!({
        "secret": "ork_b81d07…",
        "secrets": [
            {"hint": "ork_3f9a1c", "created_at": "2024-02-01T08:30:00Z", "expires_at": "2024-03-01T09:30:00Z"},
            {"hint": "ork_b81d07", "created_at": "2024-03-01T08:30:00Z", "expires_at": null}
        ]
    }))
}
