use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use shared_schema::access::{Role, Scope};

use super::TokenError;

/// How far the clocks of the issuer and of this machine may be apart.
pub(crate) const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// The most characters of a subject.
const MOST_SUBJECT: usize = 200;

/// What a verified token says of its bearer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    /// Who it is (`sub`): 1 to 200 printable characters.
    pub(crate) subject: String,
    /// What they may do (`role`).
    pub(crate) role: Role,
    /// Where (`regions`).
    pub(crate) scope: Scope,
    /// Whether they see personal data (`pii`); not without being said.
    pub(crate) may_read_pii: bool,
    /// The end of the token as it is written there (`exp`): it is accepted for [`LEEWAY`] longer.
    pub(crate) expires_at: DateTime<Utc>,
}

/// The claims of a token as they stand there, whatever they are. One that stands there twice is an error.
#[derive(Deserialize)]
pub(super) struct Stated {
    #[serde(default, deserialize_with = "present")]
    iss: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    aud: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    exp: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    sub: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    role: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    regions: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pii: Option<Value>,
}

/// Keeps a claim that is null apart from one that is not there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A claim's name and what it must be.
struct Claim(&'static str, &'static str);

const ISSUER: Claim = Claim(
    "iss",
    "the issuer whose tokens are accepted here; get a token from it",
);
const AUDIENCE: Claim = Claim(
    "aud",
    "the audience that this API is, or a list that has it; ask for a token for this API",
);
const EXPIRY: Claim = Claim("exp", "a time in seconds since 1970");
const BEGINNING: Claim = Claim("nbf", "a time in seconds since 1970");
const SUBJECT: Claim = Claim("sub", "a text of 1 to 200 printable characters");
const ROLE: Claim = Claim("role", "one of viewer, analyst, admin");
const REGIONS: Claim = Claim(
    "regions",
    "null for everywhere, or a list of 1 to 200 known places such as {\"state\": \"Lagos\", \"city\": \"Ikeja\"}",
);
const PII: Claim = Claim("pii", "true or false where it is given");

impl Claim {
    /// The value that is read from a claim which must be there.
    fn required<T>(
        &self,
        value: Option<Value>,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Result<T, TokenError> {
        let Self(claim, must) = *self;
        let value = value.ok_or(TokenError::Missing { claim, must })?;
        read(value).ok_or(TokenError::Unfit { claim, must })
    }

    /// The value that is read from a claim, if that is there.
    fn optional<T>(
        &self,
        value: Option<Value>,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Result<Option<T>, TokenError> {
        value
            .map(|value| self.required(Some(value), read))
            .transpose()
    }
}

impl Stated {
    /// The claims of a token of this issuer for this audience, if it is valid now.
    ///
    /// # Errors
    /// When a claim is missing or not what it must be, or the token is not valid now.
    pub(super) fn checked(
        self,
        issuer: &str,
        audience: &str,
        now: DateTime<Utc>,
    ) -> Result<Claims, TokenError> {
        ISSUER.required(self.iss, |iss| (iss == issuer).then_some(()))?;
        AUDIENCE.required(self.aud, |aud| has(&aud, audience).then_some(()))?;
        let expires_at = EXPIRY.required(self.exp, time)?;
        in_time(expires_at, BEGINNING.optional(self.nbf, time)?, now)?;
        Ok(Claims {
            subject: SUBJECT.required(self.sub, subject)?,
            role: ROLE.required(self.role, |role| Role::parse(role.as_str()?))?,
            scope: REGIONS
                .required(self.regions, |regions| serde_json::from_value(regions).ok())?,
            may_read_pii: PII
                .optional(self.pii, |pii| pii.as_bool())?
                .unwrap_or(false),
            expires_at,
        })
    }
}

fn in_time(
    expires_at: DateTime<Utc>,
    from: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), TokenError> {
    // differences, as the sum of the leeway and a time out of a token may be no time
    if now.signed_duration_since(expires_at) >= LEEWAY {
        return Err(TokenError::Expired { at: expires_at });
    }
    match from {
        Some(from) if from.signed_duration_since(now) > LEEWAY => {
            Err(TokenError::NotYetValid { from })
        }
        _ => Ok(()),
    }
}

/// Whether an `aud` is the audience, or a list of texts that has it.
fn has(aud: &Value, audience: &str) -> bool {
    match aud {
        Value::Array(several) => {
            several.iter().all(Value::is_string) && several.iter().any(|one| one == audience)
        }
        one => one == audience,
    }
}

/// A number of seconds since 1970, which may have a fraction.
fn time(value: Value) -> Option<DateTime<Utc>> {
    if let Some(seconds) = value.as_i64() {
        return DateTime::from_timestamp(seconds, 0);
    }
    let since = Duration::try_from_secs_f64(value.as_f64()?).ok()?;
    let seconds = i64::try_from(since.as_secs()).ok()?;
    DateTime::from_timestamp(seconds, since.subsec_nanos())
}

fn subject(value: Value) -> Option<String> {
    let Value::String(text) = value else {
        return None;
    };
    let fits = (1..=MOST_SUBJECT).contains(&text.chars().count())
        && text.trim() == text
        && text.chars().all(is_printable);
    fits.then_some(text)
}

/// Whether a character shows as itself: subjects stand in logs and in the audit, where none must look like another by
/// what cannot be seen.
fn is_printable(character: char) -> bool {
    let is_hidden = matches!(
        character,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    );
    let is_space = character.is_whitespace() && character != ' ';
    !(character.is_control() || is_hidden || is_space)
}
