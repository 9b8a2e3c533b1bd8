use chrono::{DateTime, Utc};

use super::MOST_BYTES;

/// Why a token is not accepted.
///
/// What it displays is meant for whoever sent the token. It says what to do, and repeats nothing of the token but times.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    /// It was not even read.
    #[error("the token is longer than {MOST_BYTES} bytes; ask for one that says less")]
    TooLong,
    /// It is something else.
    #[error(
        "this is no JSON Web Token, which is three parts of base64url with dots between them, the second a JSON object"
    )]
    Malformed,
    /// The header names another algorithm, or is none.
    #[error(
        "the token's header must be a JSON object with {algorithm} as its alg, and with nothing in it that is not of its type"
    )]
    Header {
        /// The algorithm that is configured.
        algorithm: &'static str,
    },
    /// The header says that it must not be accepted by whoever does not know more than RFC 7515.
    #[error("the token's header has crit, which is not supported; ask for a token without it")]
    Critical,
    /// The header does not say which of the issuer's keys it was signed with.
    #[error("the token's header must name the key that it is signed with in kid")]
    NoKeyNamed,
    /// The issuer has no such key, or several, or one that is not fit.
    #[error(
        "the token's kid does not name one of the issuer's present keys for RS256; get a new token"
    )]
    UnknownKey,
    /// Somebody else signed it, or it was changed.
    #[error("the token's signature is not that of its issuer; get a new token")]
    Signature,
    /// A claim that must be there is not.
    #[error("the token's claim {claim} is missing; it must be {must}")]
    Missing {
        /// The claim.
        claim: &'static str,
        /// What it must be.
        must: &'static str,
    },
    /// A claim is not what it must be.
    #[error("the token's claim {claim} must be {must}")]
    Unfit {
        /// The claim.
        claim: &'static str,
        /// What it must be.
        must: &'static str,
    },
    /// It was good once.
    #[error("the token expired at {at} (its claim exp); get a new token")]
    Expired {
        /// The end.
        at: DateTime<Utc>,
    },
    /// It will be good.
    #[error("the token is not valid before {from} (its claim nbf)")]
    NotYetValid {
        /// The beginning.
        from: DateTime<Utc>,
    },
    /// Nothing can be said about the token: the keys of its issuer could not be fetched yet. The only one of these that
    /// is not the token's fault.
    #[error("the keys that verify tokens cannot be had at present; try again in some seconds")]
    KeysUnavailable,
}
