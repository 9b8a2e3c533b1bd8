use std::{collections::BTreeMap, time::Duration};

use actix_cors::CorsError;
use actix_web::web::Bytes;
use analytics::time::{BeyondRetention, Side};
use event_store::{At, Operation, StoreError};
use serde::ser::Error as _;
use shared_schema::access::Role;

use crate::{
    access::Refusal,
    cells::CellError,
    error::ApiError,
    http::Code,
    lanes::LanesError,
    parameters::{Fault, ParameterError, not_configured},
    routes::{KeyError, read_body},
};

/// An error of each kind, as the description shows it.
pub(super) fn example(code: Code) -> ApiError {
    match code {
        Code::UnknownParameter => parameter(
            "from",
            Fault::Unknown,
            "there is no such parameter",
            "Allowed are start_date, end_date, tz, state, city.",
        ),
        Code::RepeatedParameter => {
            parameter("tz", Fault::Repeated, "it is given twice", "Give it once.")
        }
        Code::UnreadableParameter => parameter(
            "tz",
            Fault::Unreadable,
            "there is no such zone; did you mean Africa/Lagos?",
            "Allowed are IANA names such as Africa/Lagos.",
        ),
        Code::MissingParameter => parameter(
            "include_time_series",
            Fault::Missing,
            "granularity is of no use without it",
            "Allowed are include_time_series=true with a granularity, or neither.",
        ),
        Code::ParameterOutOfRange => parameter(
            "limit",
            Fault::OutOfRange,
            "it is out of range",
            "Allowed are 1 to 1000.",
        ),
        Code::StartAfterEnd => parameter(
            "start_date",
            Fault::StartAfterEnd,
            "the range ends before it begins",
            "Allowed is a start before the end.",
        ),
        Code::TooManyPoints => parameter(
            "granularity",
            Fault::TooManyPoints,
            "the series would have more than 10000 points",
            "Allowed are 10000 points: a wider granularity, or a shorter range.",
        ),
        Code::UnknownRegion => parameter(
            "state",
            Fault::UnknownRegion,
            "there is no such state; did you mean Lagos?",
            "Allowed are the 36 states of Nigeria, FCT, and unknown.",
        ),
        Code::UnknownReason => parameter(
            "reason",
            Fault::UnknownReason,
            "there is no such reason code",
            "Allowed are missing_field, too_large.",
        ),
        Code::UnknownTopic => parameter(
            "topic",
            Fault::UnknownTopic,
            "no such topic is known",
            "Allowed are openride.events.booking, openride.events.user.",
        ),
        Code::BeyondRetention => BeyondRetention {
            side: Side::Start,
            kept_days: 90,
            earlier: "2024-01-31T10:00:00+01:00".to_owned(),
            later: "2024-01-31T10:15:00+01:00".to_owned(),
        }
        .into(),
        Code::Unauthenticated => Refusal::Nothing.into(),
        Code::Forbidden => ApiError::Forbidden {
            has: Role::Viewer,
            needs: Role::Admin,
        },
        Code::OutOfScope => ApiError::NotByRegion,
        Code::PersonalData => ApiError::NoPersonalData,
        Code::RateLimited => ApiError::TooManyRequests(42),
        Code::UnreadableBody => {
            let body = Bytes::from_static(br#"{"role": "owner"}"#);
            let read = read_body::<BTreeMap<String, Role>>(&body);
            read.err().map_or(ApiError::NotFound, ApiError::from)
        }
        Code::FieldOutOfRange => KeyError::Past.into(),
        Code::BodyTooLarge => ApiError::BodyTooLarge,
        Code::NotFound => ApiError::NotFound,
        Code::MethodNotAllowed => ApiError::MethodNotAllowed("GET, HEAD".to_owned()),
        Code::PreflightRefused => ApiError::Preflight(CorsError::OriginNotAllowed),
        Code::KeyIsOver => ApiError::KeyIsOver,
        Code::CellsNotConfigured => not_configured("include_cells").into(),
        Code::CellExpired => CellError::Expired.into(),
        Code::Internal => serde_json::Error::custom("").into(),
        Code::StoreUnavailable => StoreError::Unreachable {
            at: at(),
            source: "refused".into(),
        }
        .into(),
        Code::QueryTimedOut => StoreError::TimedOut {
            at: at(),
            after: Duration::from_secs(10),
        }
        .into(),
        Code::LanesUnavailable => LanesError::TimedOut(Duration::from_secs(1)).into(),
        Code::AccessUnavailable => ApiError::TokenKeysUnavailable,
    }
}

fn parameter(name: &str, fault: Fault, why: &str, allowed: &str) -> ApiError {
    ParameterError::new(name, fault, why, allowed).into()
}

fn at() -> At {
    At {
        operation: Operation::Select,
        subject: "bookings".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_a_code_has_it() {
        for code in Code::ALL {
            assert_eq!(example(*code).verdict().code, *code);
        }
    }
}
