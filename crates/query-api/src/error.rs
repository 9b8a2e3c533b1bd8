//! Everything that can go wrong with a request, and the one table of what the client hears of it.

use std::{fmt, sync::Arc};

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use analytics::time::{BeyondRetention, Side, TooOld};
use event_store::StoreError;
use service_runtime::telemetry::chain;
use shared_schema::access::Role;

use crate::{
    access::{KeyringError, Refusal},
    cells::CellError,
    http::{Code, problem},
    lanes::LanesError,
    parameters::{Fault, ParameterError},
    routes::{BodyError, KeyError},
    turns::Busy,
};

/// Why a request is not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// A parameter is at fault.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// A bound off the grid is too old.
    #[error(transparent)]
    BeyondRetention(#[from] BeyondRetention),
    /// The range begins before what is stored.
    #[error(transparent)]
    TooOld(#[from] TooOld),
    /// What a cell counted may be gone.
    #[error(transparent)]
    CellTooOld(TooOld),
    /// A cell opens nothing.
    #[error(transparent)]
    Cell(#[from] CellError),
    /// There is nothing at this path.
    #[error("there is nothing at this path")]
    NotFound,
    /// No metric or analysis has this name.
    #[error("no metric or analysis has this name")]
    NoSuchDefinition,
    /// The path exists, but not for this method.
    #[error("this path answers {0} only")]
    MethodNotAllowed(String),
    /// A page of this origin may not ask this.
    #[error("cross-origin request: {0}")]
    Preflight(actix_cors::CorsError),
    /// Everybody is let in, but no page that was opened on this machine: its host, or its origin.
    #[error("{0:?} is neither this machine nor an origin that may ask")]
    ForeignPage(String),
    /// It is not known who asks.
    #[error(transparent)]
    Unauthenticated(#[from] Refusal),
    /// The caller's role does not allow it.
    #[error("the caller's role is {has}")]
    Forbidden {
        /// The caller's.
        has: Role,
        /// The least that is allowed.
        needs: Role,
    },
    /// The caller sees some regions only, and this tells of all at once.
    #[error("this tells of all regions at once, and the caller sees some only")]
    NotByRegion,
    /// The caller may not see personal data, and this may be some.
    #[error("the caller may not see personal data, which the bytes of records may hold")]
    NoPersonalData,
    /// The caller asks too often, and may again after so many seconds.
    #[error("the caller has made as many requests in this minute as it may")]
    TooManyRequests(u32),
    /// The body cannot be read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// A key cannot be made or changed so.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is no such key in the caller's scope.
    #[error("there is no such key")]
    NoSuchKey,
    /// The key is revoked or expired.
    #[error("the key was revoked or has expired")]
    KeyIsOver,
    /// The key of the request cannot be looked up.
    #[error("postgres: {0}")]
    Keyring(#[from] Arc<KeyringError>),
    /// The issuer does not say what tokens are signed with.
    #[error("the keys of the issuer of tokens cannot be had")]
    TokenKeysUnavailable,
    /// The keys cannot be read or changed.
    #[error("postgres: {}", chain(.0))]
    Keys(#[from] metadata_store::StoreError),
    /// ClickHouse did not answer.
    #[error("clickhouse: {0}")]
    Store(#[from] StoreError),
    /// ClickHouse was not asked.
    #[error("clickhouse was not asked: {0}")]
    Busy(#[from] Busy),
    /// PostgreSQL did not answer.
    #[error("postgres: {0}")]
    Lanes(#[from] LanesError),
    /// The answer could not be written.
    #[error("json: {0}")]
    Unwritable(#[from] serde_json::Error),
    /// What became of an answer that is made for all requests that ask for the same.
    #[error("{0}")]
    Shared(Arc<ApiError>),
}

/// What the client hears of an error. Of an error of ours it is a fixed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The kind of problem, which decides the HTTP status.
    pub(crate) code: Code,
    /// What is wrong with this request.
    pub(crate) detail: String,
    /// What to do about it.
    pub(crate) hint: String,
    /// The parameter at fault.
    pub(crate) parameter: Option<String>,
}

impl ApiError {
    /// The table.
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Parameter(error) => of_parameter(error),
            Self::BeyondRetention(error) => of_retention(error),
            Self::TooOld(error) => of_age("start_date", error),
            Self::CellTooOld(error) => of_age("cell", error),
            Self::Cell(error) => of_cell(*error),
            Self::NotFound => fixed(Code::NotFound, self, "/docs lists all paths."),
            Self::NoSuchDefinition => {
                let names = analytics::definitions::names().join(", ");
                fixed(Code::NotFound, self, &format!("There are {names}."))
            }
            Self::MethodNotAllowed(methods) => {
                fixed(Code::MethodNotAllowed, self, &format!("Use {methods}."))
            }
            Self::Preflight(_) => fixed(
                Code::PreflightRefused,
                self,
                "Allowed are the origins of the setting http.cors.origins.",
            ),
            Self::ForeignPage(_) => fixed(
                Code::ForeignPage,
                self,
                "Ask localhost or a loopback address; origins of pages are allowed by the setting http.cors.origins.",
            ),
            Self::Unauthenticated(refusal) => fixed(Code::Unauthenticated, refusal, refusal.hint()),
            Self::Forbidden { needs, .. } => fixed(
                Code::Forbidden,
                self,
                &format!("Use a key or token of the role {needs}."),
            ),
            Self::NotByRegion => fixed(
                Code::OutOfScope,
                self,
                "Use a key or token for all regions.",
            ),
            Self::NoPersonalData => fixed(
                Code::PersonalData,
                self,
                "Use a key or token that may, or leave include_bytes out.",
            ),
            Self::TooManyRequests(seconds) => fixed(
                Code::RateLimited,
                self,
                &format!("Try again in {seconds} s."),
            ),
            Self::Body(error) => of_body(error),
            Self::Key(error) => fixed(Code::FieldOutOfRange, error, &error.allowed()),
            Self::NoSuchKey => fixed(Code::NotFound, self, "/v1/keys lists those that there are."),
            Self::KeyIsOver => fixed(Code::KeyIsOver, self, "Make a new key."),
            Self::Keyring(error) => of_keys(error.is_outage()),
            Self::Keys(error) => of_keys(error.is_outage()),
            Self::TokenKeysUnavailable => fixed(Code::AccessUnavailable, self, RETRY),
            Self::Store(error) => of_store(error),
            Self::Busy(busy) => fixed(
                Code::Busy,
                busy,
                "Try again in some seconds, or ask less at once.",
            ),
            Self::Unwritable(_) => internal(),
            Self::Shared(error) => error.verdict(),
            Self::Lanes(_) => fixed(
                Code::LanesUnavailable,
                "The database of the lanes does not answer.",
                RETRY,
            ),
        }
    }

    /// Whether a database was away, or too slow, or could not be asked.
    pub(crate) fn is_outage(&self) -> bool {
        self.verdict().code.status() == StatusCode::SERVICE_UNAVAILABLE
    }

    /// Seconds after which the request may be repeated.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        match self {
            Self::TooManyRequests(seconds) => Some(*seconds),
            _ => self.is_outage().then_some(2),
        }
    }
}

const RETRY: &str = "Try again in some seconds.";

fn fixed(code: Code, detail: impl fmt::Display, hint: &str) -> Verdict {
    let (detail, hint) = (detail.to_string(), hint.to_owned());
    Verdict {
        code,
        detail,
        hint,
        parameter: None,
    }
}

fn of_parameter(error: &ParameterError) -> Verdict {
    let code = match error.fault {
        Fault::Unknown => Code::UnknownParameter,
        Fault::Repeated => Code::RepeatedParameter,
        Fault::Unreadable => Code::UnreadableParameter,
        Fault::Missing => Code::MissingParameter,
        Fault::OutOfRange => Code::ParameterOutOfRange,
        Fault::StartAfterEnd => Code::StartAfterEnd,
        Fault::TooManyPoints => Code::TooManyPoints,
        Fault::UnknownRegion => Code::UnknownRegion,
        Fault::OutOfScope => Code::OutOfScope,
        Fault::UnknownReason => Code::UnknownReason,
        Fault::UnknownTopic => Code::UnknownTopic,
        Fault::NotConfigured => Code::CellsNotConfigured,
    };
    Verdict {
        code,
        detail: error.to_string(),
        hint: error.allowed.clone(),
        parameter: Some(error.name.clone()),
    }
}

fn of_retention(error: &BeyondRetention) -> Verdict {
    let parameter = match error.side {
        Side::Start => "start_date",
        Side::End => "end_date",
    };
    Verdict {
        code: Code::BeyondRetention,
        detail: format!("{parameter}: {error}; older bounds must lie on quarters of an hour"),
        hint: format!(
            "The nearest that can be served are {} and {}.",
            error.earlier, error.later
        ),
        parameter: Some(parameter.to_owned()),
    }
}

fn of_age(parameter: &str, error: &TooOld) -> Verdict {
    Verdict {
        code: Code::BeyondRetention,
        detail: format!("{parameter}: {error}"),
        hint: format!(
            "The earliest start that can be served is {}.",
            error.earliest
        ),
        parameter: Some(parameter.to_owned()),
    }
}

fn of_cell(error: CellError) -> Verdict {
    const AGAIN: &str = "Ask for its answer again.";
    let verdict = match error {
        CellError::NotOne => fixed(
            Code::UnreadableParameter,
            format!("cell: {error}"),
            "Allowed is a token out of the cells of an answer with include_cells=true, unchanged.",
        ),
        CellError::Foreign => fixed(Code::NotFound, error, AGAIN),
        CellError::Expired => fixed(Code::CellExpired, error, AGAIN),
    };
    Verdict {
        parameter: Some("cell".to_owned()),
        ..verdict
    }
}

fn of_body(error: &BodyError) -> Verdict {
    const SHOWN: &str = "/docs shows what is asked for, with an example.";
    match error {
        BodyError::Other { .. } => fixed(Code::UnreadableBody, error, SHOWN),
        BodyError::Broken => fixed(Code::UnreadableBody, error, "Send it whole."),
        BodyError::NotJson => fixed(
            Code::UnsupportedMediaType,
            error,
            "Send JSON, with Content-Type: application/json.",
        ),
        BodyError::Late(_) => fixed(Code::BodyTimedOut, error, "Send it again."),
        BodyError::TooLarge => fixed(Code::BodyTooLarge, error, "Send less."),
    }
}

fn of_store(error: &StoreError) -> Verdict {
    if error.is_over_its_memory() {
        return fixed(
            Code::QueryTooLarge,
            "The answer needs more memory than a statement may take.",
            "Ask for less: a shorter range, fewer points or periods.",
        );
    }
    match (error.is_out_of_time(), error.is_retryable()) {
        (true, _) => fixed(
            Code::QueryTimedOut,
            "The database of the events did not answer in time.",
            "Try again in some seconds, or ask for less.",
        ),
        (false, true) => fixed(
            Code::StoreUnavailable,
            "The database of the events does not answer.",
            RETRY,
        ),
        (false, false) => internal(),
    }
}

fn of_keys(is_outage: bool) -> Verdict {
    let detail = "The database of the keys does not answer.";
    match is_outage {
        true => fixed(Code::AccessUnavailable, detail, RETRY),
        false => internal(),
    }
}

fn internal() -> Verdict {
    fixed(
        Code::Internal,
        "The request could not be answered.",
        "Report the request_id.",
    )
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.verdict().code.status()
    }

    /// Without the id of the request, which only the middleware knows; that puts the whole answer in its place.
    fn error_response(&self) -> HttpResponse {
        problem::response(self, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event_store::{At, Operation};

    fn at() -> At {
        At {
            operation: Operation::Select,
            subject: "bookings".to_owned(),
        }
    }

    #[test]
    fn errors_of_ours_do_not_carry_their_cause() {
        let secret = "DB::Exception: Unknown column in SELECT secret FROM events_raw";
        for (code, expected) in [
            (47, Code::Internal),
            (241, Code::StoreUnavailable),
            (159, Code::QueryTimedOut),
        ] {
            let error: ApiError = StoreError::Server {
                at: at(),
                code,
                message: secret.to_owned(),
            }
            .into();
            let verdict = error.verdict();
            assert_eq!(verdict.code, expected);
            assert!(!format!("{verdict:?}").contains("secret"));
        }
    }

    #[test]
    fn an_outage_says_when_to_try_again() {
        let down: ApiError = StoreError::Unreachable {
            at: at(),
            source: "refused".into(),
        }
        .into();
        assert_eq!(
            (down.verdict().code, down.retry_after()),
            (Code::StoreUnavailable, Some(2))
        );
        let late: ApiError = StoreError::TimedOut {
            at: at(),
            after: std::time::Duration::from_secs(1),
        }
        .into();
        assert_eq!(
            (late.verdict().code, late.retry_after()),
            (Code::QueryTimedOut, Some(2))
        );
        assert_eq!(ApiError::NotFound.retry_after(), None);
    }
}
