//! Verification of JSON Web Tokens (RFC 7519).
//!
//! ```text
//! token ─▶ length ─▶ header: alg, crit ─▶ key: the secret, or by kid out of published ─▶ signature ─▶ claims ─▶ Claims
//!                                                               │
//!                                       fetch ─▶ keys (JWKS) ───┘
//! ```
//!
//! The algorithm is the configured one, whatever a token says, and a key comes from the configuration or the issuer's one
//! published set: what a header says about other places of keys (`jku`, `x5u`, `jwk`, `x5c`) is not looked at. Nothing is
//! believed of a token before its signature was verified. No token and no part of one is ever logged.

mod claims;
mod config;
mod error;
mod fetch;
mod keys;
mod object;
mod published;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{
    Algorithm, DecodingKey, Header, crypto, dangerous, decode_header, errors::ErrorKind,
};
use service_runtime::config::{Problem, Settings};

pub(crate) use claims::Claims;
pub use config::TokenConfig;
pub(crate) use error::TokenError;

use self::{claims::Stated, fetch::Fetcher, object::Object, published::Published};

/// The longest token that is read.
pub(crate) const MOST_BYTES: usize = 8 * 1024;

/// Verifies tokens. Clones share the published keys.
#[derive(Clone)]
pub(crate) struct Verifier {
    issuer: String,
    audience: String,
    keys: Keys,
}

/// What signatures are verified with, which decides the algorithm.
#[derive(Clone)]
enum Keys {
    /// HS256.
    Secret(Arc<DecodingKey>),
    /// RS256.
    Published(Published),
}

/// Why there is no verifier.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifierError {
    /// The configuration was not checked, and is not sound.
    #[error("the settings of tokens are not valid: {}", list(.0))]
    Config(Vec<Problem>),
    /// The client that fetches keys could not be made.
    #[error("the client that fetches the keys of tokens cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}

impl Verifier {
    /// The verifier of this configuration; none if that accepts no tokens.
    ///
    /// # Errors
    /// When the configuration is not valid, or the client that fetches keys cannot be made.
    pub(crate) fn new(config: &TokenConfig) -> Result<Option<Self>, VerifierError> {
        config.validate().map_err(VerifierError::Config)?;
        let keys = match &config.jwks_url {
            Some(url) => {
                let fetcher = Fetcher::new(url.clone(), config.jwks_timeout.get())?;
                // what is too long for chrono is never over
                let refresh = TimeDelta::from_std(config.jwks_refresh.get());
                Keys::Published(Published::new(fetcher, refresh.unwrap_or(TimeDelta::MAX)))
            }
            None if config.secret.is_empty() => return Ok(None),
            None => {
                let secret = config.secret.expose().as_bytes();
                Keys::Secret(Arc::new(DecodingKey::from_secret(secret)))
            }
        };
        Ok(Some(Self {
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            keys,
        }))
    }

    /// Whose tokens are accepted.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What a token says of its bearer, if it is good at this time. The time also decides how old the published keys
    /// are. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`TokenError::KeysUnavailable`] when that cannot be known at present, any other when it is not good.
    pub(crate) async fn verify(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Claims, TokenError> {
        if token.len() > MOST_BYTES {
            return Err(TokenError::TooLong);
        }
        let header = self.header(token)?;
        let key = self.keys.find(header, now).await?;
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let algorithm = self.keys.algorithm();
        // an error is a signature that is no base64url, or a key that is none: neither verifies anything
        if !crypto::verify(signature, message.as_bytes(), &key, algorithm).unwrap_or(false) {
            return Err(TokenError::Signature);
        }
        // dangerous before the line above, and the claims are checked here, by the time that is given
        let Object(stated) = dangerous::insecure_decode_claims::<Object<Stated>>(token)
            .map_err(|_| TokenError::Malformed)?;
        stated.checked(&self.issuer, &self.audience, now)
    }

    /// The header of a token, if it is one for the configured algorithm.
    fn header(&self, token: &str) -> Result<Header, TokenError> {
        let unfit = || TokenError::Header {
            algorithm: self.keys.name(),
        };
        let header = decode_header(token).map_err(|error| match error.kind() {
            // an algorithm that the library does not know, such as none, is an error of its JSON
            ErrorKind::Json(_) => unfit(),
            _ => TokenError::Malformed,
        })?;
        if header.alg != self.keys.algorithm() {
            return Err(unfit());
        }
        match header.crit {
            Some(_) => Err(TokenError::Critical),
            None => Ok(header),
        }
    }
}

impl Keys {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Secret(_) => Algorithm::HS256,
            Self::Published(_) => Algorithm::RS256,
        }
    }

    /// The name of the algorithm.
    fn name(&self) -> &'static str {
        match self {
            Self::Secret(_) => "HS256",
            Self::Published(_) => "RS256",
        }
    }

    /// The key for a token with this header.
    async fn find(
        &self,
        header: Header,
        now: DateTime<Utc>,
    ) -> Result<Arc<DecodingKey>, TokenError> {
        match self {
            Self::Secret(secret) => Ok(Arc::clone(secret)),
            Self::Published(published) => {
                let kid = header.kid.ok_or(TokenError::NoKeyNamed)?;
                published.key(&kid, now).await
            }
        }
    }
}

impl fmt::Debug for Verifier {
    /// Without keys, secret or not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("algorithm", &self.keys.name())
            .finish_non_exhaustive()
    }
}

fn list(problems: &[Problem]) -> String {
    let texts: Vec<_> = problems.iter().map(Problem::to_string).collect();
    texts.join("; ")
}
