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
        security::{
            ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
        },
    },
};
use utoipa_swagger_ui as swagger;

use crate::{
    error::ApiError,
    http::{Code, problem::Problem, problem_page},
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
    components(schemas(Problem)),
    tags(
        (name = "metrics", description = "The numbers"),
        (name = "analytics", description = "What several numbers tell together"),
        (name = "definitions", description = "What the numbers mean"),
        (name = "pipeline", description = "The books of the ingestor"),
        (name = "keys", description = "Who may ask, for administrators"),
    ),
    modifiers(&Callers, &Kept, &Problems),
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
        .service(Methods::at("/openapi.json").shows(description).for_all())
        .service(Methods::at("/docs").shows(to_page).for_all())
        .service(Methods::at("/docs/{file:.*}").shows(page).for_all());
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

/// How callers say who they are.
struct Callers;

impl Modify for Callers {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let key = ApiKeyValue::with_description("X-API-Key", "An API key.");
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("A token with the claims `iss`, `aud`, `exp`, `sub`, `role`, `regions` (`null`; a list is refused for now) and, to see personal data, `pii`."))
            .build();
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::ApiKey(ApiKey::Header(key)));
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let either = ["key", "token"].map(|name| SecurityRequirement::new(name, [""; 0]));
        api.security = Some(either.into());
    }
}

/// What every operation may answer instead, and say beside.
struct Problems;

/// The statuses of problems that every operation may answer.
const STATUSES: [&str; 7] = ["400", "401", "403", "422", "429", "500", "503"];

impl Modify for Problems {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut api.paths.paths {
            let operations = [&mut item.get, &mut item.post, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                let has_body = operation.request_body.is_some();
                let mut statuses = STATUSES.to_vec();
                statuses.extend(path.contains('{').then_some("404"));
                statuses.extend(has_body.then_some("413"));
                statuses.extend(path.ends_with("/rotate").then_some("409"));
                for status in statuses {
                    let response = problem(status, &meanings(status, has_body));
                    let responses = &mut operation.responses.responses;
                    responses.insert(status.to_owned(), RefOr::T(response));
                }
            }
        }
    }
}

/// What is said of answers that are kept.
struct Kept;

impl Modify for Kept {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let paths = api.paths.paths.iter_mut();
        let kept = paths.filter(|(path, _)| {
            path.starts_with("/v1/metrics/") || path.starts_with("/v1/analytics/")
        });
        for operation in kept.filter_map(|(_, item)| item.get.as_mut()) {
            let responses = &mut operation.responses.responses;
            if let Some(RefOr::T(answer)) = responses.get_mut("200") {
                let said = said_of_kept().map(|(name, header)| (name, RefOr::T(header)));
                answer.headers.extend(said);
            }
            let unchanged = ResponseBuilder::new()
                .description("The answer is the one whose tag was sent in `If-None-Match`.");
            let unchanged = said_of_kept()
                .into_iter()
                .fold(unchanged, |response, (name, header)| {
                    response.header(name, header)
                });
            responses.insert("304".to_owned(), RefOr::T(unchanged.build()));
        }
    }
}

fn said_of_kept() -> [(String, utoipa::openapi::Header); 4] {
    [
        ("ETag", "The tag of this answer, for `If-None-Match`."),
        ("Cache-Control", "`private, max-age=` the seconds for which the answer may still be shown. `no-cache` in a request asks for an answer that is made for it, `no-store` for one that is kept by nobody."),
        ("X-Cache", "`hit`, `miss` or `bypass`: whether the answer was kept, made, or made although one may be kept."),
        ("Warning", "`110`, where the answer is older than it may be because the database of the events does not answer."),
    ]
    .map(|(name, description)| (name.to_owned(), header(Type::String, description)))
}

/// What only a body can be wrong in.
const OF_BODIES: [Code; 3] = [
    Code::UnreadableBody,
    Code::FieldOutOfRange,
    Code::BodyTooLarge,
];

/// What the problems of a status mean.
fn meanings(status: &str, has_body: bool) -> String {
    let codes = Code::ALL
        .iter()
        .filter(|code| code.status().as_str() == status && (has_body || !OF_BODIES.contains(code)));
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
    let when = "Seconds after which the request may be repeated.";
    match status {
        "429" | "503" => response
            .header("Retry-After", header(Type::Integer, when))
            .build(),
        _ => response.build(),
    }
}

fn header(kind: Type, description: &str) -> utoipa::openapi::Header {
    let schema: Schema = ObjectBuilder::new().schema_type(kind).into();
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(description))
        .build()
}
