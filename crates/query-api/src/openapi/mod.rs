//! The description of the API: `/openapi.json`, and a page to read it and try it at `/docs`.
//!
//! A handler describes its parameters and its answer beside its code; what all have in common is added here.

mod answers;
mod callers;
mod examples;
mod problems;
mod schemas;

use std::{borrow::Cow, sync::OnceLock};

use actix_web::{
    HttpResponse,
    http::header::{ContentEncoding, ContentType, LOCATION},
    web::{Bytes, Data, Path, ServiceConfig},
};
use analytics::funnel::Breakdown;
use utoipa::OpenApi;
use utoipa_swagger_ui as swagger;

use self::{answers::Answers, callers::Callers, problems::Problems, schemas::Schemas};
use crate::{
    error::ApiError,
    http::{Pieces, problem::Problem, problem_page},
    parameters::Compare,
    routes::{self, Methods},
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "OpenRide Analytics",
        description = "Numbers about users, bookings, payments, trips, drivers and routes, from the events of the OpenRide services.\n\nMoney is a decimal string in NGN. Rates are percent with two decimals, rounded half away from zero from exact values. A rate, mean or percentile over nothing is `null`, an empty sum is \"0.00\". Percentiles are interpolated linearly. Problems are documents as RFC 9457 has them, with a stable `code`, and a `type` that points to its explanation at `/docs/errors`. A request may bring its own `X-Request-Id`; every answer has one. Where the requests of a caller are limited, `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (seconds) say what is left of this minute."
    ),
    paths(
        routes::metrics::users,
        routes::metrics::bookings,
        routes::metrics::payments,
        routes::metrics::trips,
        routes::metrics::drivers,
        routes::metrics::routes,
        routes::metrics::realtime,
        routes::analytics::funnel,
        routes::analytics::cohort,
        routes::analytics::retention,
        routes::analytics::geographic,
        routes::analytics::trends,
        routes::events,
        routes::definitions::all,
        routes::definitions::one,
        routes::pipeline::ledger,
        routes::pipeline::dead_letters,
        routes::keys::all,
        routes::keys::create,
        routes::keys::one,
        routes::keys::revoke,
        routes::keys::rotate,
    ),
    components(schemas(Problem, Breakdown, Compare)),
    tags(
        (name = "metrics", description = "The numbers"),
        (name = "analytics", description = "What several numbers tell together"),
        (name = "events", description = "What was counted"),
        (name = "definitions", description = "What the numbers mean"),
        (name = "pipeline", description = "The books of the ingestor"),
        (name = "keys", description = "Who may ask, for administrators"),
    ),
    modifiers(&Callers, &Problems, &Answers, &Schemas),
)]
struct Api;

/// The description of the API.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

/// `/openapi.json`, `/docs` and everything below.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .app_data(Data::new(swagger::Config::from("/openapi.json")))
        .configure(problem_page::configure)
        .service(Methods::at("/openapi.json").shows(description).for_all())
        .service(Methods::at("/docs").shows(to_page).for_all())
        .service(Methods::at("/docs/{file:.*}").shows(page).for_all());
}

/// As it is sent, once it was.
static DESCRIPTION: OnceLock<Bytes> = OnceLock::new();

async fn description() -> Result<HttpResponse, ApiError> {
    let written = match DESCRIPTION.get() {
        Some(written) => written.clone(),
        None => {
            let written = serde_json::to_vec(&document())?;
            DESCRIPTION.get_or_init(|| written.into()).clone()
        }
    };
    Ok(HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(Pieces(written)))
}

/// A file of the page, which are all in this program.
async fn page(
    file: Path<String>,
    config: Data<swagger::Config<'static>>,
) -> Result<HttpResponse, ApiError> {
    let file = swagger::serve(&file, config.into_inner())
        .ok()
        .flatten()
        .ok_or(ApiError::NotFound)?;
    let mut response = HttpResponse::Ok();
    if file.gzpipped {
        response.insert_header(ContentEncoding::Gzip);
    }
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    Ok(response.content_type(file.content_type).body(Pieces(bytes)))
}

async fn to_page() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/docs/"))
        .finish()
}

#[cfg(test)]
mod tests;
