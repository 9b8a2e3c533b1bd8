//! Who asks, and what they may.
//!
//! ```text
//! request below /v1 ─▶ admitted: X-API-Key ─▶ Keyring (PostgreSQL, a few seconds old) ─┐
//!                                Bearer     ─▶ token::Verifier ────────────────────────┴▶ Caller
//!                                                                                           │
//!                         Limiter: requests of the caller in this minute (Redis) ◀──────────┤
//!                                                                                           ▼
//!                      route ◀── needs: the role, and all regions where the path tells of all ◀┘
//! ```
//!
//! Where everybody is let in (`auth.mode=off`), all of that is but `elsewhere`, which turns pages away that are not this
//! machine's. The trace of a request is continued once its caller is let in.

mod caller;
mod config;
mod elsewhere;
mod key;
mod keyring;
mod limiter;
pub(crate) mod token;

use std::sync::Arc;

use actix_web::{
    Error, HttpMessage,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    web::Data,
};
use service_runtime::clock::Clock;
use shared_schema::access::{Role, Scope};
use tracing::Instrument;
use uuid::Uuid;

pub(crate) use self::{caller::Caller, key::KeyText, keyring::KeyringError, token::TokenError};
pub use self::{
    config::{AuthConfig, AuthMode},
    token::TokenConfig,
};
use self::{
    elsewhere::page_of_elsewhere,
    keyring::Keyring,
    limiter::{Allowance, Limiter},
    token::{Verifier, VerifierError},
};
use crate::{config::Config, error::ApiError, http, redis::Redis, services::Services};

/// Where keys are sent.
pub(crate) const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Why a request is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It shows nothing.
    #[error("the request has no API key and no token")]
    Nothing,
    /// It shows a key and a token, or one of them twice: who it is depends on who reads it.
    #[error("the request has more than one key or token")]
    Ambiguous,
    /// What is in `Authorization` is no bearer token.
    #[error("the header Authorization holds no bearer token")]
    NotBearer,
    /// The key is of another form, unknown, expired or revoked. Which of these, only its owner may know.
    #[error("the API key is not valid")]
    Key,
    /// The token is not good.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Tokens are not accepted here.
    #[error("tokens are not accepted here")]
    NoTokens,
}

impl Refusal {
    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Nothing | Self::NotBearer => {
                "Send an API key in X-API-Key, or a token in Authorization as Bearer."
            }
            Self::Ambiguous => "Send one of them, once.",
            Self::Key => {
                "Send the key as it was shown when it was made. It may have expired or been revoked."
            }
            Self::Token(_) => "Get a new token from its issuer.",
            Self::NoTokens => "Send an API key in X-API-Key.",
        }
    }
}

/// The regions that an answer tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Regions {
    /// Those of the caller.
    Own,
    /// All of them at once.
    All,
}

/// Decides who is let in.
pub(crate) struct Access {
    mode: AuthMode,
    /// Origins of pages that may ask.
    origins: Vec<String>,
    keyring: Keyring,
    verifier: Option<Verifier>,
    limiter: Limiter,
    clock: Arc<dyn Clock>,
}

impl Access {
    pub(crate) fn new(
        config: &Config,
        redis: Arc<Redis>,
        pool: metadata_store::Pool,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, VerifierError> {
        Ok(Self {
            mode: config.auth.mode,
            origins: config.http.cors.origins.clone(),
            keyring: Keyring::new(&config.auth, pool),
            verifier: Verifier::new(&config.tokens)?,
            limiter: Limiter::new(redis, config.auth.requests_per_minute),
            clock,
        })
    }

    /// Who sends these headers.
    async fn caller(&self, headers: &HeaderMap) -> Result<Caller, ApiError> {
        match Shown::of(headers)? {
            Shown::Key(text) => self.of_key(text).await,
            Shown::Token(token) => self.of_token(token).await,
        }
    }

    async fn of_key(&self, text: &str) -> Result<Caller, ApiError> {
        let secret = KeyText::parse(text).ok_or(Refusal::Key)?;
        let found = self.keyring.find(&secret.fingerprint().hash).await?;
        let now = self.clock.now();
        let valid = found
            .as_ref()
            .as_ref()
            .filter(|found| found.is_valid_at(now));
        Ok(Caller::of_key(&valid.ok_or(Refusal::Key)?.key))
    }

    /// Asks once more, past what is known, whether a caller is who it was: what it changes must not outlive it.
    pub(crate) async fn confirm(&self, caller: &Caller) -> Result<(), ApiError> {
        let Some(key) = caller.key else { return Ok(()) };
        let found = self.keyring.find_anew(key).await?;
        let stands = found.is_some_and(|key| key.revoked_at.is_none());
        match stands {
            true => Ok(()),
            false => Err(Refusal::Key.into()),
        }
    }

    /// Forgets what is known of a key, since that was changed here.
    pub(crate) fn forget(&self, key: Uuid) {
        self.keyring.forget(key);
    }

    async fn of_token(&self, token: &str) -> Result<Caller, ApiError> {
        let verifier = self.verifier.as_ref().ok_or(Refusal::NoTokens)?;
        match verifier.verify(token, self.clock.now()).await {
            Ok(claims) => Ok(Caller::of_token(verifier.issuer(), claims)),
            Err(TokenError::KeysUnavailable) => Err(ApiError::TokenKeysUnavailable),
            Err(error) => Err(Refusal::Token(error).into()),
        }
    }
}

/// What a request shows of who it is.
enum Shown<'h> {
    Key(&'h str),
    Token(&'h str),
}

impl<'h> Shown<'h> {
    fn of(headers: &'h HeaderMap) -> Result<Self, Refusal> {
        let keys = headers.get_all(&X_API_KEY).map(Sent::Key);
        let tokens = headers.get_all(AUTHORIZATION).map(Sent::Authorization);
        let mut sent = keys.chain(tokens);
        let (first, second) = (sent.next(), sent.next());
        match (first, second) {
            (None, _) => Err(Refusal::Nothing),
            (Some(_), Some(_)) => Err(Refusal::Ambiguous),
            (Some(Sent::Key(value)), None) => {
                value.to_str().map(Self::Key).map_err(|_| Refusal::Key)
            }
            (Some(Sent::Authorization(value)), None) => {
                let value = value.to_str().map_err(|_| Refusal::NotBearer)?;
                let (scheme, token) = value.split_once(' ').ok_or(Refusal::NotBearer)?;
                match scheme.eq_ignore_ascii_case("bearer") {
                    true => Ok(Self::Token(token.trim())),
                    false => Err(Refusal::NotBearer),
                }
            }
        }
    }
}

enum Sent<'h> {
    Key(&'h HeaderValue),
    Authorization(&'h HeaderValue),
}

/// Whether callers must be let in.
pub(crate) fn is_guarded(path: &str) -> bool {
    path.starts_with("/v1")
}

/// Lets in who may ask anything at all, as often as they may.
pub(crate) async fn admitted<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    if !is_guarded(request.path()) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    // boxed: what lies below it is deep
    let allowance = match Box::pin(asked(&request)).await {
        Ok(allowance) => allowance,
        Err(error) => return Ok(request.error_response(error).map_into_right_body()),
    };
    let span = http::continue_trace(&request);
    let mut response = match allowance {
        Some(Allowance {
            is_over: true,
            reset_seconds,
            ..
        }) => {
            let error = ApiError::TooManyRequests(reset_seconds);
            request.error_response(error).map_into_right_body()
        }
        _ => {
            let response = next.call(request).instrument(span).await?;
            response.map_into_left_body()
        }
    };
    if let Some(allowance) = allowance {
        allowance.show(response.headers_mut());
    }
    Ok(response)
}

/// Finds out who asks, and what is left of what they may ask in this minute, where that is limited.
async fn asked(request: &ServiceRequest) -> Result<Option<Allowance>, ApiError> {
    let services = request.app_data::<Data<Services>>();
    // nobody is let in where nobody can be told from another
    let access = &services.ok_or(Refusal::Nothing)?.access;
    if access.mode == AuthMode::Off {
        if let Some(page) = page_of_elsewhere(request.headers(), &access.origins) {
            return Err(ApiError::ForeignPage(page));
        }
        request.extensions_mut().insert(Caller::anybody());
        return Ok(None);
    }
    let caller = access.caller(request.headers()).await?;
    let allowance = access.limiter.take(&caller).await;
    request.extensions_mut().insert(caller);
    Ok(Some(allowance))
}

/// Refuses callers of a lesser role, and, of what tells of all regions at once, those that see some only.
pub(crate) async fn needs<B: MessageBody + 'static>(
    role: Role,
    tells_of: Regions,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let refused = {
        let extensions = request.extensions();
        match extensions.get::<Caller>() {
            None => Some(Refusal::Nothing.into()),
            Some(caller) if caller.role < role => Some(ApiError::Forbidden {
                has: caller.role,
                needs: role,
            }),
            Some(caller) if tells_of == Regions::All && caller.scope != Scope::Everywhere => {
                Some(ApiError::NotByRegion)
            }
            Some(_) => None,
        }
    };
    match refused {
        Some(error) => Ok(request.error_response(error).map_into_right_body()),
        None => Ok(next.call(request).await?.map_into_left_body()),
    }
}
