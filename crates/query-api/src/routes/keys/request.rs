//! What is asked for.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, de::Error as _};
use shared_schema::access::{Role, Scope};
use utoipa::ToSchema;

use super::shown::{PlaceShown, RoleShown};
use crate::access::Caller;

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
    pub(super) name: String,
    /// What it may do.
    #[schema(value_type = RoleShown)]
    pub(super) role: Role,
    /// What it may see: `null`, or left out, for all regions; else a list of states, and of cities in them.
    #[serde(default)]
    #[schema(value_type = Option<Vec<PlaceShown>>, min_items = 1, max_items = 200)]
    pub(super) regions: Scope,
    /// Whether it may see phone numbers, names and e-mails.
    #[serde(default)]
    #[schema(default = false)]
    pub(super) pii: bool,
    /// From when on it is refused. Left out, it does not expire.
    #[serde(default)]
    pub(super) expires_at: Option<DateTime<Utc>>,
}

/// How a key is to be rotated.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotationRequest {
    /// For how many seconds the secrets before go on.
    #[serde(default = "overlap", deserialize_with = "seconds")]
    #[schema(minimum = 0, maximum = 604_800, default = 86_400)]
    overlap_seconds: u32,
}

const fn overlap() -> u32 {
    OVERLAP_SECONDS
}

/// A whole number of seconds, as which JSON Schema counts 60.0 too.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = f64::deserialize(deserializer)?;
    let is_whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    if !is_whole {
        return Err(D::Error::custom("it is no whole number of seconds"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole and within the limits"
    )]
    Ok(number as u32)
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
            Self::Overlap => format!("Allowed are 0 to {LONGEST_OVERLAP_SECONDS}."),
        }
    }
}

impl KeyRequest {
    /// Whether this caller may have it made.
    pub(super) fn check(&self, caller: &Caller, now: DateTime<Utc>) -> Result<(), KeyError> {
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
        match caller.scope.covers(&self.regions) {
            true => Ok(()),
            false => Err(KeyError::Regions),
        }
    }
}

impl RotationRequest {
    /// For how long the secrets before go on.
    pub(super) fn overlap(&self) -> Result<TimeDelta, KeyError> {
        match self.overlap_seconds <= LONGEST_OVERLAP_SECONDS {
            true => Ok(TimeDelta::seconds(self.overlap_seconds.into())),
            false => Err(KeyError::Overlap),
        }
    }
}
