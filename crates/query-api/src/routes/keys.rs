//! `/v1/keys`: the API keys, for administrators. Each sees, makes and ends those within its own scope.

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::header::LOCATION,
    web::{Bytes, Data, Path},
};
use chrono::{DateTime, TimeDelta, Utc};
use metadata_store::{
    audit::Act,
    keys::{self, Key, NewKey, Rotation},
};
use serde::{Deserialize, Serialize};
use shared_schema::access::{Role, Scope};
use utoipa::ToSchema;
use uuid::Uuid;

use super::body;
use crate::{
    access::{Access, Caller, Secret},
    error::ApiError,
    http::RequestId,
    parameters::Given,
    services::Services,
};

/// How long secrets go on after a rotation when nobody says.
const OVERLAP_SECONDS: u32 = 24 * 3600;
/// At the longest.
const LONGEST_OVERLAP_SECONDS: u32 = 7 * 24 * 3600;
const LONGEST_NAME: usize = 100;

/// A key that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyRequest {
    /// What people call it: 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100, example = "nightly dashboard")]
    name: String,
    /// What it may do.
    #[schema(value_type = RoleShown)]
    role: Role,
    /// What it may see: `null`, or left out, for all regions. A list is refused for now.
    #[serde(default)]
    #[schema(value_type = Option<Vec<PlaceShown>>)]
    regions: Scope,
    /// Whether it may see phone numbers, names and e-mails.
    #[serde(default)]
    pii: bool,
    /// From when on it is refused. Left out, it does not expire.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
}

/// How a key is to be rotated.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotationRequest {
    /// For how many seconds the secrets before go on.
    #[serde(default = "overlap")]
    #[schema(minimum = 0, maximum = 604_800, default = 86_400)]
    overlap_seconds: u32,
}

const fn overlap() -> u32 {
    OVERLAP_SECONDS
}

/// What a caller may do. Each may also do what those before it may.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes how a role is written")]
pub(crate) enum RoleShown {
    /// Reads metrics, analyses, definitions and the ledger.
    Viewer,
    /// Also reads dead letters.
    Analyst,
    /// Does everything within its scope, keys included.
    Admin,
}

/// A state, or a city in it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes how a place is written")]
pub(crate) struct PlaceShown {
    /// The state.
    #[schema(example = "Lagos")]
    state: String,
    /// The city; all of the state without it.
    #[schema(example = "Ikeja")]
    city: Option<String>,
}

/// A key, without what it opens doors with.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyShown {
    id: Uuid,
    /// What people call it.
    name: String,
    /// What it may do.
    #[schema(value_type = RoleShown)]
    role: Role,
    /// What it may see: `null` for all regions.
    #[schema(value_type = Option<Vec<PlaceShown>>)]
    regions: Scope,
    /// Whether it may see phone numbers, names and e-mails.
    pii: bool,
    created_at: DateTime<Utc>,
    /// Who made it: `api_key/` and its id, `token:` with issuer and subject, or `command`.
    created_by: String,
    /// From when on it is refused; `null` if it does not expire.
    expires_at: Option<DateTime<Utc>>,
    /// When it was revoked, if it was.
    revoked_at: Option<DateTime<Utc>>,
    /// Its secrets, oldest first, those that have ended included.
    secrets: Vec<SecretShown>,
}

/// What may be told of a secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretShown {
    /// The first characters of its text.
    #[schema(example = "ork_3f9a1c")]
    hint: String,
    created_at: DateTime<Utc>,
    /// From when on it is refused; `null` if it lasts as long as its key.
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
    keys: Vec<KeyShown>,
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

/// Why a key is not made or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    /// Its name is none.
    #[error("name: it has no characters, or more than {LONGEST_NAME}")]
    Name,
    /// It would be over at once.
    #[error("expires_at: it is not in the future")]
    Past,
    /// The caller may not see personal data itself.
    #[error("pii: the caller may not see personal data, nor have the secret of a key that may")]
    Pii,
    /// It would show more than the caller may see.
    #[error("regions: they reach beyond the caller's")]
    Regions,
    /// Numbers of some regions alone cannot be asked for yet.
    #[error("regions: keys for some regions alone are not made yet")]
    RegionsNotServed,
    /// The secrets before would go on for too long.
    #[error("overlap_seconds: it is more than {LONGEST_OVERLAP_SECONDS}")]
    Overlap,
}

impl KeyError {
    /// What is allowed.
    pub(crate) fn allowed(&self) -> String {
        match self {
            Self::Name => format!("Allowed are 1 to {LONGEST_NAME} characters."),
            Self::Past => "Allowed are times to come; or leave it out.".to_owned(),
            Self::Pii => "Allowed are keys that may not, or a caller that may.".to_owned(),
            Self::Regions => "Allowed are places in the caller's regions.".to_owned(),
            Self::RegionsNotServed => "Allowed is null.".to_owned(),
            Self::Overlap => format!("Allowed are 0 to {LONGEST_OVERLAP_SECONDS}."),
        }
    }
}

/// All API keys
///
/// Those within the caller's scope, revoked and expired ones too.
#[utoipa::path(
    get,
    path = "/v1/keys",
    tag = "keys",
    responses((status = 200, description = "The keys", body = Keys, example = json!({"keys": [example()]})))
)]
pub(crate) async fn all(
    services: Data<Services>,
    request: HttpRequest,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    Given::read(request.query_string(), &[])?;
    let keys = keys::all(&services.pool).await?;
    let visible = keys
        .into_iter()
        .filter(|key| caller.scope.covers(&key.scope));
    Ok(HttpResponse::Ok().json(Keys {
        keys: visible.map(KeyShown::from).collect(),
    }))
}

/// Make an API key
///
/// Its text is shown once, in the answer.
#[utoipa::path(
    post,
    path = "/v1/keys",
    tag = "keys",
    request_body(content = KeyRequest, example = json!({"name": "nightly dashboard", "role": "viewer"})),
    responses((
        status = 201,
        description = "The key",
        headers(("Location" = String, description = "Where the key is found")),
        body = NewSecret,
        example = json!(with_secret())
    ))
)]
pub(crate) async fn create(
    services: Data<Services>,
    access: Data<Access>,
    request: HttpRequest,
    caller: Caller,
    body: Bytes,
) -> Result<HttpResponse, ApiError> {
    Given::read(request.query_string(), &[])?;
    let now = services.clock.now();
    let asked: KeyRequest = body::read(&body)?;
    asked.check(&caller, now)?;
    access.confirm(&caller).await?;
    let secret = Secret::random();
    let new = NewKey {
        id: Uuid::now_v7(),
        name: asked.name,
        role: asked.role,
        scope: asked.regions,
        may_read_pii: asked.pii,
        expires_at: asked.expires_at,
    };
    let act = act(&request, &caller);
    let key = keys::create(&services.pool, now, &act, new, &secret.fingerprint()).await?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("/v1/keys/{}", key.id)))
        .json(NewSecret::of(&secret, key)))
}

/// An API key
#[utoipa::path(
    get,
    path = "/v1/keys/{id}",
    tag = "keys",
    params(("id" = Uuid, Path, description = "The id of the key")),
    responses((status = 200, description = "The key", body = KeyShown, example = json!(example())))
)]
pub(crate) async fn one(
    services: Data<Services>,
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    Given::read(request.query_string(), &[])?;
    let key = within(&services, &caller, &id).await?;
    Ok(HttpResponse::Ok().json(KeyShown::from(key)))
}

/// Revoke an API key
///
/// For good. It is refused within some seconds by all replicas. Revoking it again changes nothing.
#[utoipa::path(
    delete,
    path = "/v1/keys/{id}",
    tag = "keys",
    params(("id" = Uuid, Path, description = "The id of the key")),
    responses((status = 200, description = "The key as it is now", body = KeyShown, example = json!(revoked_example())))
)]
pub(crate) async fn revoke(
    services: Data<Services>,
    access: Data<Access>,
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    Given::read(request.query_string(), &[])?;
    access.confirm(&caller).await?;
    let key = within(&services, &caller, &id).await?;
    let (now, act) = (services.clock.now(), act(&request, &caller));
    let revoked = keys::revoke(&services.pool, now, &act, key.id).await?;
    access.forget_keys();
    let revoked = revoked.ok_or(ApiError::NoSuchKey)?;
    Ok(HttpResponse::Ok().json(KeyShown::from(revoked)))
}

/// Give an API key a new secret
///
/// The secrets before go on for `overlap_seconds`, so that its users can be changed over one by one.
#[utoipa::path(
    post,
    path = "/v1/keys/{id}/rotate",
    tag = "keys",
    params(("id" = Uuid, Path, description = "The id of the key")),
    request_body(content = RotationRequest, example = json!({"overlap_seconds": 3600})),
    responses((status = 200, description = "The key", body = NewSecret, example = json!(rotated_example())))
)]
pub(crate) async fn rotate(
    services: Data<Services>,
    access: Data<Access>,
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, ApiError> {
    Given::read(request.query_string(), &[])?;
    let RotationRequest { overlap_seconds } = body::read(&body)?;
    if overlap_seconds > LONGEST_OVERLAP_SECONDS {
        return Err(KeyError::Overlap.into());
    }
    access.confirm(&caller).await?;
    let key = within(&services, &caller, &id).await?;
    if key.may_read_pii && !caller.may_read_pii {
        return Err(KeyError::Pii.into());
    }
    let (now, act) = (services.clock.now(), act(&request, &caller));
    let old_until = now + TimeDelta::seconds(overlap_seconds.into());
    let secret = Secret::random();
    let fingerprint = secret.fingerprint();
    let rotation = keys::rotate(&services.pool, now, &act, key.id, &fingerprint, old_until).await?;
    access.forget_keys();
    match rotation {
        Rotation::Rotated(key) => Ok(HttpResponse::Ok().json(NewSecret::of(&secret, key))),
        Rotation::Unknown => Err(ApiError::NoSuchKey),
        Rotation::Revoked(_) | Rotation::Expired(_) => Err(ApiError::KeyIsOver),
    }
}

/// The key of an id, if it lies within the caller's scope. What does not is not told from what is not there.
async fn within(services: &Services, caller: &Caller, id: &str) -> Result<Key, ApiError> {
    let id: Uuid = id.parse().map_err(|_| ApiError::NoSuchKey)?;
    let found = keys::find(&services.pool, id).await?;
    let visible = found.filter(|key| caller.scope.covers(&key.scope));
    visible.ok_or(ApiError::NoSuchKey)
}

/// Who does it, for the audit.
fn act(request: &HttpRequest, caller: &Caller) -> Act {
    let id = request
        .extensions()
        .get::<RequestId>()
        .map(ToString::to_string);
    Act {
        actor: caller.name.clone(),
        request_id: id,
    }
}

impl KeyRequest {
    fn check(&self, caller: &Caller, now: DateTime<Utc>) -> Result<(), KeyError> {
        let length = self.name.chars().count();
        if !(1..=LONGEST_NAME).contains(&length) || self.name.contains('\0') {
            return Err(KeyError::Name);
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            return Err(KeyError::Past);
        }
        if self.pii && !caller.may_read_pii {
            return Err(KeyError::Pii);
        }
        if !caller.scope.covers(&self.regions) {
            return Err(KeyError::Regions);
        }
        match self.regions == Scope::Everywhere {
            true => Ok(()),
            false => Err(KeyError::RegionsNotServed),
        }
    }
}

impl NewSecret {
    fn of(secret: &Secret, key: Key) -> Self {
        Self {
            secret: secret.expose().to_owned(),
            key: key.into(),
        }
    }
}

/// What the description shows.
fn example() -> serde_json::Value {
    serde_json::json!({
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

fn revoked_example() -> serde_json::Value {
    let mut example = example();
    example["revoked_at"] = "2024-03-01T08:30:00Z".into();
    example
}

fn with_secret() -> serde_json::Value {
    let mut example = example();
    example["secret"] = "ork_3f9a1c…".into();
    example
}

fn rotated_example() -> serde_json::Value {
    let mut example = with_secret();
    example["secret"] = "ork_b81d07…".into();
    example["secrets"] = serde_json::json!([
        {"hint": "ork_3f9a1c", "created_at": "2024-02-01T08:30:00Z", "expires_at": "2024-03-01T09:30:00Z"},
        {"hint": "ork_b81d07", "created_at": "2024-03-01T08:30:00Z", "expires_at": null}
    ]);
    example
}
