use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use metadata_store::keys::{Key, subject};
use shared_schema::access::{Role, Scope};
use uuid::Uuid;

use super::{Refusal, token::Claims};
use crate::error::ApiError;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// What the audit calls it.
    pub(crate) name: String,
    /// Its key, if it has one.
    pub(crate) key: Option<Uuid>,
    /// What it may do.
    pub(crate) role: Role,
    /// What it may see.
    pub(crate) scope: Scope,
    /// Whether it may see personal data.
    pub(crate) may_read_pii: bool,
}

impl Caller {
    pub(super) fn of_key(key: &Key) -> Self {
        Self {
            name: subject(key.id),
            key: Some(key.id),
            role: key.role,
            scope: key.scope.clone(),
            may_read_pii: key.may_read_pii,
        }
    }

    pub(super) fn of_token(issuer: &str, claims: Claims) -> Self {
        Self {
            name: format!("token:{issuer}#{}", claims.subject),
            key: None,
            role: claims.role,
            scope: claims.scope,
            may_read_pii: claims.may_read_pii,
        }
    }

    /// Whoever asks where access is not controlled.
    pub(super) fn anybody() -> Self {
        Self {
            name: "anybody".to_owned(),
            key: None,
            role: Role::Admin,
            scope: Scope::Everywhere,
            may_read_pii: true,
        }
    }

    /// The caller that was let in.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let caller = request.extensions().get::<Self>().cloned();
        caller.ok_or_else(|| Refusal::Nothing.into())
    }
}

/// The caller that was let in.
impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}
