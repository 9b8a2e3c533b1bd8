//! The paths of the API.

pub(crate) mod analytics;
mod asked;
pub(crate) mod definitions;
pub(crate) mod metrics;
pub(crate) mod pipeline;

use actix_web::{
    Handler, HttpResponse, Resource, Responder, guard,
    web::{self, ServiceConfig},
};

use crate::error::ApiError;

/// Everything below `/v1`.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(readable("/v1/metrics/users", metrics::users))
        .service(readable("/v1/metrics/bookings", metrics::bookings))
        .service(readable("/v1/metrics/payments", metrics::payments))
        .service(readable("/v1/metrics/trips", metrics::trips))
        .service(readable("/v1/metrics/drivers", metrics::drivers))
        .service(readable("/v1/metrics/routes", metrics::routes))
        .service(readable("/v1/metrics/realtime", metrics::realtime))
        .service(readable("/v1/analytics/funnel", analytics::funnel))
        .service(readable("/v1/analytics/cohort", analytics::cohort))
        .service(readable("/v1/analytics/retention", analytics::retention))
        .service(readable("/v1/analytics/geographic", analytics::geographic))
        .service(readable("/v1/analytics/trends", analytics::trends))
        .service(readable("/v1/definitions", definitions::all))
        .service(readable("/v1/definitions/{metric}", definitions::one))
        .service(readable("/v1/pipeline/ledger", pipeline::ledger))
        .service(readable(
            "/v1/pipeline/dead-letters",
            pipeline::dead_letters,
        ));
}

/// A resource that answers GET and HEAD, and says so to anything else.
pub(crate) fn readable<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let reading = guard::Any(guard::Get()).or(guard::Head());
    web::resource(path)
        .route(web::route().guard(reading).to(handler))
        .default_service(web::to(method_not_allowed))
}

/// The answer of every path that does not exist.
pub(crate) async fn not_found() -> Result<HttpResponse, ApiError> {
    Err(ApiError::NotFound)
}

async fn method_not_allowed() -> Result<HttpResponse, ApiError> {
    Err(ApiError::MethodNotAllowed)
}
