use analytics::cells::Cell;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use shared_schema::access::Scope;

use super::CellsConfig;

/// The longest token that is read; one of a thousand partitions is half as long.
pub(crate) const MOST_BYTES: usize = 16 * 1024;

/// Raised when a cell of before could not be read, or would be read as another.
const VERSION: u8 = 2;

/// Why a token opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CellError {
    /// It was not signed here, or not with this secret, or it has been changed.
    #[error("it is no cell of an answer")]
    NotOne,
    /// Its answer was made for a caller that sees other regions. Which, only those may know.
    #[error("there is no such cell")]
    Foreign,
    /// Its answer is too long ago, or was made by an older version.
    #[error("the cell has expired")]
    Expired,
}

/// What a token says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims<C> {
    v: u8,
    /// Seconds since 1970.
    exp: i64,
    /// The digest of the scope that the answer was made for.
    scope: String,
    cell: C,
}

/// Signs cells and opens them: as JSON Web Tokens (RFC 7519) with HMAC-SHA256, for they are that and a library keeps them
/// safe. They are no access tokens: those name an issuer and a subject.
pub(crate) struct Signer {
    signs: EncodingKey,
    verifies: DecodingKey,
    lifetime: TimeDelta,
}

impl Signer {
    /// The signer of this configuration; none if that has no secret.
    pub(crate) fn new(config: &CellsConfig) -> Option<Self> {
        let secret = config.secret.expose().as_bytes();
        // what is too long for chrono never ends
        let lifetime = TimeDelta::from_std(config.lifetime.get()).unwrap_or(TimeDelta::MAX);
        (!secret.is_empty()).then(|| Self {
            signs: EncodingKey::from_secret(secret),
            verifies: DecodingKey::from_secret(secret),
            lifetime,
        })
    }

    /// The token of a cell of an answer that is made now for a caller of this scope. None where it cannot be written.
    pub(crate) fn seal(&self, cell: &Cell, scope: &str, now: DateTime<Utc>) -> Option<String> {
        let expires = now.checked_add_signed(self.lifetime.min(cell.lasts()));
        let claims = Claims {
            v: VERSION,
            exp: expires.map_or(i64::MAX, |at| at.timestamp()),
            scope: scope.to_owned(),
            cell,
        };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.signs).ok()?;
        // what would not be read again opens nothing
        (token.len() <= MOST_BYTES).then_some(token)
    }

    /// The cell of a token, for a caller of this scope.
    ///
    /// # Errors
    /// When it opens nothing for the caller now.
    pub(crate) fn open(
        &self,
        token: &str,
        scope: &str,
        now: DateTime<Utc>,
    ) -> Result<Cell, CellError> {
        if token.len() > MOST_BYTES {
            return Err(CellError::NotOne);
        }
        let mut validation = Validation::new(Algorithm::HS256);
        // by the time that is given, below
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let opened = decode::<Claims<Value>>(token, &self.verifies, &validation);
        let claims = opened.map_err(|_| CellError::NotOne)?.claims;
        match () {
            () if claims.v > VERSION => Err(CellError::NotOne),
            () if claims.scope != scope => Err(CellError::Foreign),
            () if claims.v < VERSION || claims.exp <= now.timestamp() => Err(CellError::Expired),
            () => serde_json::from_value(claims.cell).map_err(|_| CellError::NotOne),
        }
    }
}

/// Tells scopes apart in the few characters that every cell has of it.
pub(super) fn digest(scope: &Scope) -> Result<String, serde_json::Error> {
    let scope = serde_json::to_vec(scope)?;
    let mut digest = hex::encode(Sha256::digest(&scope));
    digest.truncate(32);
    Ok(digest)
}

#[cfg(test)]
mod tests;
