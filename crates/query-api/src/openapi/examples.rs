use std::{collections::BTreeMap, time::Duration};

use actix_cors::CorsError;
use actix_web::web::Bytes;
use analytics::time::{BeyondRetention, Side};
use chrono::DateTime;
use event_store::{At, MEMORY_LIMIT_EXCEEDED, Operation, StoreError};
use serde::ser::Error as _;
use shared_schema::access::{Role, Scope};

use crate::{
    access::Refusal,
    cells::CellError,
    error::ApiError,
    http::Code,
    lanes::LanesError,
    parameters::{
        DriversLimit, Fault, Given, ParameterError, RangeParameters, RegionParameters,
        SeriesParameters, documented, not_configured, number, selection, series,
    },
    routes::{Body, BodyError, KeyError},
    turns::Busy,
};

/// An error of each kind, as the description shows it.
pub(super) fn example(code: Code) -> ApiError {
    match code {
        Code::UnknownParameter => asked("from=2024-01-01"),
        Code::RepeatedParameter => asked("tz=UTC&tz=Africa/Lagos"),
        Code::UnreadableParameter => asked("tz=Africa/Lagoss"),
        Code::MissingParameter => asked("granularity=hourly"),
        Code::ParameterOutOfRange => asked("limit=1001"),
        Code::StartAfterEnd => asked("start_date=2024-02-01&end_date=2024-01-31"),
        Code::TooManyPoints => asked(
            "start_date=2022-01-01&end_date=2024-01-31&include_time_series=true&granularity=hourly",
        ),
        Code::UnknownRegion => asked("state=Lago"),
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
            let body = Body(Bytes::from_static(br#"{"role": "owner"}"#));
            let read = body.read::<BTreeMap<String, Role>>();
            read.err().map_or(ApiError::NotFound, ApiError::from)
        }
        Code::FieldOutOfRange => KeyError::Past.into(),
        Code::BodyTooLarge => BodyError::TooLarge.into(),
        Code::BodyTimedOut => BodyError::Late(Duration::from_secs(30)).into(),
        Code::UnsupportedMediaType => BodyError::NotJson.into(),
        Code::ForeignPage => ApiError::ForeignPage("http://rides.example".to_owned()),
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
        Code::QueryTooLarge => StoreError::Server {
            at: at(),
            code: MEMORY_LIMIT_EXCEEDED,
            message: "DB::Exception: Query memory limit exceeded".to_owned(),
        }
        .into(),
        Code::Busy => Busy::Caller.into(),
        Code::LanesUnavailable => LanesError::TimedOut(Duration::from_secs(1)).into(),
        Code::AccessUnavailable => ApiError::TokenKeysUnavailable,
    }
}

/// What is said of these parameters, which are at fault.
fn asked(query: &str) -> ApiError {
    let documented = [
        documented::<RangeParameters>(),
        documented::<RegionParameters>(),
        documented::<SeriesParameters>(),
        documented::<DriversLimit>(),
    ];
    let (documented, now) = (documented.concat(), DateTime::UNIX_EPOCH);
    let read = Given::read(query, &documented).and_then(|given| {
        let selection = selection(&given, &Scope::Everywhere, now)?;
        series(&given, &selection.range)?;
        number(&given, &documented, "limit")
    });
    read.err().map_or(ApiError::NotFound, ApiError::from)
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
