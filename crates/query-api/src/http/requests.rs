use std::time::Duration;

use actix_web::dev::ServiceResponse;
use opentelemetry::{KeyValue, metrics::Histogram};
use service_runtime::telemetry::{self, LATENCY_SECONDS};

/// Counts and times requests.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    duration: Histogram<f64>,
}

impl Requests {
    pub(crate) fn new() -> Self {
        let duration = telemetry::meter()
            .f64_histogram("http.server.request.duration")
            .with_description("Time from the head of a request to the head of its answer.")
            .with_unit("s")
            .with_boundaries(LATENCY_SECONDS.to_vec())
            .build();
        Self { duration }
    }

    /// By the pattern of the path, never the path itself: there are endlessly many of those.
    pub(super) fn count<B>(&self, response: &ServiceResponse<B>, took: Duration) {
        let route = response
            .request()
            .match_pattern()
            .unwrap_or_else(|| "none".to_owned());
        let attributes = [
            KeyValue::new(
                "http.request.method",
                method(response.request().method().as_str()),
            ),
            KeyValue::new("http.route", route),
            KeyValue::new(
                "http.response.status_code",
                i64::from(response.status().as_u16()),
            ),
        ];
        self.duration.record(took.as_secs_f64(), &attributes);
    }
}

/// Clients can make methods up.
fn method(name: &str) -> &'static str {
    match name {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}
