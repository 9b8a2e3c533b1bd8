use actix_web::{
    HttpResponse, Resource, Route,
    http::{
        StatusCode,
        header::{CacheControl, CacheDirective},
    },
    web,
};
use serde::Serialize;
use tracing::error;

use super::{HealthState, Liveness, Readiness};
use crate::telemetry;

/// Adds `/health`, `/health/live`, `/health/ready` and `/metrics` to an application, at its root and
/// without access control: `App::new().configure(health::configure(&state))`.
pub fn configure(state: &HealthState) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let state = web::Data::new(state.clone());
    move |config| {
        config
            .app_data(state)
            .service(readable(
                "/health",
                || web::get().to(summary),
                || web::head().to(summary),
            ))
            .service(readable(
                "/health/live",
                || web::get().to(live),
                || web::head().to(live),
            ))
            .service(readable(
                "/health/ready",
                || web::get().to(ready),
                || web::head().to(ready),
            ))
            .service(readable(
                "/metrics",
                || web::get().to(metrics),
                || web::head().to(metrics),
            ));
    }
}

/// A resource that answers GET and HEAD.
fn readable(path: &str, get: impl FnOnce() -> Route, head: impl FnOnce() -> Route) -> Resource {
    web::resource(path).route(get()).route(head())
}

/// The body of `/health`.
#[derive(Debug, Serialize)]
struct Summary {
    service: &'static str,
    version: &'static str,
    uptime_seconds: u64,
    status: &'static str,
    #[serde(flatten)]
    liveness: Liveness,
    #[serde(flatten)]
    readiness: Readiness,
}

async fn summary(state: web::Data<HealthState>) -> HttpResponse {
    let (service, version) = state.service();
    let liveness = state.liveness();
    let readiness = state.readiness().await;
    let status = match (liveness.live, readiness.ready) {
        (true, true) => "ok",
        (true, false) => "not_ready",
        (false, _) => "not_live",
    };
    let summary = Summary {
        service,
        version,
        uptime_seconds: state.uptime().as_secs(),
        status,
        liveness,
        readiness,
    };
    answer(true, &summary)
}

async fn live(state: web::Data<HealthState>) -> HttpResponse {
    let liveness = state.liveness();
    answer(liveness.live, &liveness)
}

async fn ready(state: web::Data<HealthState>) -> HttpResponse {
    let readiness = state.readiness().await;
    answer(readiness.ready, &readiness)
}

async fn metrics() -> HttpResponse {
    match telemetry::render() {
        Ok(text) => HttpResponse::Ok()
            .insert_header(fresh())
            .content_type(telemetry::CONTENT_TYPE)
            .body(text),
        Err(error) => {
            error!(%error, "the metrics cannot be shown");
            HttpResponse::InternalServerError()
                .insert_header(fresh())
                .body("the metrics cannot be shown")
        }
    }
}

fn answer(well: bool, body: &impl Serialize) -> HttpResponse {
    let status = match well {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    HttpResponse::build(status)
        .insert_header(fresh())
        .json(body)
}

fn fresh() -> CacheControl {
    CacheControl(vec![CacheDirective::NoStore])
}
