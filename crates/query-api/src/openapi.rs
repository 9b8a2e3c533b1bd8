//! The description of the API: `/openapi.json`, and a page to read it and try it at `/docs`.

use actix_web::{
    HttpResponse,
    http::header::{ContentEncoding, LOCATION},
    web::{Data, Json, Path, ServiceConfig},
};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, Ref, RefOr, Response, ResponseBuilder,
        header::HeaderBuilder,
        schema::{ObjectBuilder, Schema, Type},
    },
};
use utoipa_swagger_ui as swagger;

use crate::{
    error::ApiError,
    http::{Code, problem::Problem, problem_page},
    routes::{self, readable},
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "OpenRide Analytics",
        description = "Numbers about users, bookings, payments, trips, drivers and routes, from the events of the OpenRide services.\n\nMoney is a decimal string in NGN. Rates are percent with two decimals, rounded half away from zero from exact values. A rate, mean or percentile over nothing is `null`, an empty sum is \"0.00\". Percentiles are interpolated linearly. Problems are documents as RFC 9457 has them, with a stable `code`, and a `type` that points to its explanation at `/docs/errors`. A request may bring its own `X-Request-Id`; every answer has one."
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
        routes::definitions::all,
        routes::definitions::one,
        routes::pipeline::ledger,
        routes::pipeline::dead_letters,
    ),
    components(schemas(Problem)),
    tags(
        (name = "metrics", description = "The numbers"),
        (name = "analytics", description = "What several numbers tell together"),
        (name = "definitions", description = "What the numbers mean"),
        (name = "pipeline", description = "The books of the ingestor"),
    ),
    modifiers(&Problems),
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
        .app_data(Data::new(document()))
        .app_data(Data::new(swagger::Config::from("/openapi.json")))
        .configure(problem_page::configure)
        .service(readable("/openapi.json", description))
        .service(readable("/docs", to_page))
        .service(readable("/docs/{file:.*}", page));
}

async fn description(
    document: Data<utoipa::openapi::OpenApi>,
) -> Json<Data<utoipa::openapi::OpenApi>> {
    Json(document)
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
    Ok(response
        .content_type(file.content_type)
        .body(file.bytes.into_owned()))
}

async fn to_page() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/docs/"))
        .finish()
}

/// What every operation may answer instead.
struct Problems;

/// The statuses of problems that every operation may answer.
const STATUSES: [&str; 4] = ["400", "422", "500", "503"];

impl Modify for Problems {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        for operation in api
            .paths
            .paths
            .values_mut()
            .filter_map(|path| path.get.as_mut())
        {
            for status in STATUSES {
                let response = problem(status, &meanings(status));
                operation
                    .responses
                    .responses
                    .insert(status.to_owned(), RefOr::T(response));
            }
        }
    }
}

/// What the problems of a status mean.
fn meanings(status: &str) -> String {
    let codes = Code::ALL
        .into_iter()
        .filter(|code| code.status().as_str() == status);
    let lines: Vec<String> = codes
        .map(|code| format!("- `{}`: {}", code.as_str(), code.meaning()))
        .collect();
    lines.join("\n")
}

fn problem(status: &str, description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let response = ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", Content::new(Some(schema)));
    match status {
        "503" => response.header("Retry-After", seconds()).build(),
        _ => response.build(),
    }
}

fn seconds() -> utoipa::openapi::Header {
    let schema: Schema = ObjectBuilder::new().schema_type(Type::Integer).into();
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some("Seconds after which the request may be repeated."))
        .build()
}
