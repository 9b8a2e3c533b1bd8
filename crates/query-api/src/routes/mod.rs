//! The paths of the API.

pub(crate) mod analytics;
mod asked;
mod body;
pub(crate) mod definitions;
mod events;
pub(crate) mod keys;
mod methods;
pub(crate) mod metrics;
pub(crate) mod pipeline;

use actix_web::{HttpResponse, web::ServiceConfig};
use shared_schema::access::Role::{Admin, Analyst, Viewer};

pub(crate) use self::{
    body::{Body, BodyError, LARGEST as LARGEST_BODY},
    events::{__path_events, events},
    keys::KeyError,
    methods::Methods,
};
use crate::error::ApiError;

/// Everything below `/v1`, and who may ask it.
#[rustfmt::skip]
pub(crate) fn configure(config: &mut ServiceConfig) {
    let at = Methods::at;
    config
        .service(at("/v1/metrics/users").shows(metrics::users).for_role(Viewer))
        .service(at("/v1/metrics/bookings").shows(metrics::bookings).for_role(Viewer))
        .service(at("/v1/metrics/payments").shows(metrics::payments).for_role(Viewer))
        .service(at("/v1/metrics/trips").shows(metrics::trips).for_role(Viewer))
        .service(at("/v1/metrics/drivers").shows(metrics::drivers).for_role(Viewer))
        .service(at("/v1/metrics/routes").shows(metrics::routes).for_role(Viewer))
        .service(at("/v1/metrics/realtime").shows(metrics::realtime).for_role(Viewer))
        .service(at("/v1/analytics/funnel").shows(analytics::funnel).for_role(Viewer))
        .service(at("/v1/analytics/cohort").shows(analytics::cohort).for_role(Viewer))
        .service(at("/v1/analytics/retention").shows(analytics::retention).for_role(Viewer))
        .service(at("/v1/analytics/geographic").shows(analytics::geographic).for_role(Viewer))
        .service(at("/v1/analytics/trends").shows(analytics::trends).for_role(Viewer))
        .service(at("/v1/events").shows(events).for_role(Analyst))
        .service(at("/v1/definitions").shows(definitions::all).for_role(Viewer))
        .service(at("/v1/definitions/{metric}").shows(definitions::one).for_role(Viewer))
        .service(at("/v1/pipeline/ledger").shows(pipeline::ledger).for_role_everywhere(Viewer))
        .service(at("/v1/pipeline/dead-letters").shows(pipeline::dead_letters).for_role_everywhere(Analyst))
        .service(at("/v1/keys").shows(keys::all).does(keys::create).for_role(Admin))
        .service(at("/v1/keys/{id}").shows(keys::one).ends(keys::revoke).for_role(Admin))
        .service(at("/v1/keys/{id}/rotate").does(keys::rotate).for_role(Admin));
}

/// The answer of every path that does not exist.
pub(crate) async fn not_found() -> Result<HttpResponse, ApiError> {
    Err(ApiError::NotFound)
}
