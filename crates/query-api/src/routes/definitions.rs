//! `/v1/definitions`: what every metric and analysis means.

use actix_web::{HttpRequest, HttpResponse, web::Path};
use analytics::definitions::{self, Definition};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{error::ApiError, parameters::Given};

/// What everything means.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Definitions {
    /// Metrics first.
    definitions: Vec<Definition>,
}

/// What every metric and analysis means
///
/// Definition, formula, edge cases and a worked example of each, from the same source as the documentation of the code.
#[utoipa::path(
    get,
    path = "/v1/definitions",
    tag = "definitions",
    operation_id = "list_definitions",
    extensions(("x-role" = json!("viewer"))),
    responses((status = 200, description = "All definitions", body = Definitions, example = json!({"definitions": [definitions::named("bookings")]})))
)]
pub(crate) async fn all(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Given::read(request.query_string(), &[])?;
    let definitions = definitions::all();
    Ok(HttpResponse::Ok().json(Definitions { definitions }))
}

/// What a metric or analysis means
///
/// By the name of its path (`bookings`, `funnel`), or of a metric that has one value for a range (`conversion_rate`).
#[utoipa::path(
    get,
    path = "/v1/definitions/{metric}",
    tag = "definitions",
    operation_id = "get_definition",
    extensions(("x-role" = json!("viewer"))),
    params(("metric" = String, Path, description = "The name of a metric or analysis", example = "conversion_rate")),
    responses(
        (status = 200, description = "The definition", body = Definition, example = json!(definitions::named("conversion_rate")))
    )
)]
pub(crate) async fn one(
    name: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    Given::read(request.query_string(), &[])?;
    let definition = definitions::named(&name).ok_or(ApiError::NoSuchDefinition)?;
    Ok(HttpResponse::Ok().json(definition))
}
