//! `/v1/keys`: the API keys, for administrators. Each sees, makes and ends those within its own scope.

mod request;
mod shown;

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::header::LOCATION,
    web::{Data, Path},
};
use metadata_store::{
    audit::Act,
    keys::{self, Key, NewKey, Rotation},
};
use uuid::Uuid;

pub(crate) use self::request::KeyError;
use self::{
    request::{KeyRequest, RotationRequest},
    shown::{KeyShown, Keys, NewSecret, example, made_example, revoked_example, rotated_example},
};
use super::Body;
use crate::{
    access::{Caller, KeyText},
    error::ApiError,
    http::RequestId,
    parameters::Given,
    services::Services,
};

/// All API keys
///
/// Those within the caller's scope, revoked and expired ones too.
#[utoipa::path(
    get,
    path = "/v1/keys",
    tag = "keys",
    operation_id = "list_keys",
    extensions(("x-role" = json!("admin"))),
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
    operation_id = "create_key",
    extensions(("x-role" = json!("admin"))),
    request_body(content = KeyRequest, example = json!({"name": "nightly dashboard", "role": "viewer"})),
    responses((
        status = 201,
        description = "The key",
        headers(("Location" = String, description = "Where the key is found")),
        body = NewSecret,
        example = json!(made_example())
    ))
)]
pub(crate) async fn create(
    services: Data<Services>,
    request: HttpRequest,
    caller: Caller,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    Given::read(request.query_string(), &[])?;
    let now = services.clock.now();
    let asked: KeyRequest = body.read()?;
    asked.check(&caller, now)?;
    services.access.confirm(&caller).await?;
    let secret = KeyText::random();
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
    operation_id = "get_key",
    extensions(("x-role" = json!("admin"))),
    params(("id" = Uuid, Path, description = "The id of the key", example = "01977c3a-8d2e-7f10-9c55-0b3a4f1e2d6c")),
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
    operation_id = "revoke_key",
    extensions(("x-role" = json!("admin"))),
    params(("id" = Uuid, Path, description = "The id of the key", example = "01977c3a-8d2e-7f10-9c55-0b3a4f1e2d6c")),
    responses((status = 200, description = "The key as it is now", body = KeyShown, example = json!(revoked_example())))
)]
pub(crate) async fn revoke(
    services: Data<Services>,
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    Given::read(request.query_string(), &[])?;
    services.access.confirm(&caller).await?;
    let key = within(&services, &caller, &id).await?;
    let (now, act) = (services.clock.now(), act(&request, &caller));
    let revoked = keys::revoke(&services.pool, now, &act, key.id).await?;
    services.access.forget(key.id);
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
    operation_id = "rotate_key",
    extensions(("x-role" = json!("admin"))),
    params(("id" = Uuid, Path, description = "The id of the key", example = "01977c3a-8d2e-7f10-9c55-0b3a4f1e2d6c")),
    request_body(content = RotationRequest, example = json!({"overlap_seconds": 3600})),
    responses((status = 200, description = "The key", body = NewSecret, example = json!(rotated_example())))
)]
pub(crate) async fn rotate(
    services: Data<Services>,
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    Given::read(request.query_string(), &[])?;
    let overlap = body.read::<RotationRequest>()?.overlap()?;
    services.access.confirm(&caller).await?;
    let key = within(&services, &caller, &id).await?;
    if key.may_read_pii && !caller.may_read_pii {
        return Err(KeyError::Pii.into());
    }
    let (now, act) = (services.clock.now(), act(&request, &caller));
    let old_until = now + overlap;
    let secret = KeyText::random();
    let fingerprint = secret.fingerprint();
    let rotation = keys::rotate(&services.pool, now, &act, key.id, &fingerprint, old_until).await?;
    services.access.forget(key.id);
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
