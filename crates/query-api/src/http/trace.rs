use actix_web::{dev::ServiceResponse, http::header::HeaderMap};
use opentelemetry::propagation::Extractor;
use tracing::Span;

/// The headers of a request, where a caller's W3C trace context is looked for.
pub(super) struct Carrier<'h>(pub(super) &'h HeaderMap);

impl Extractor for Carrier<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}

/// Names the span of a request by the pattern of its path, never the path itself: there are endlessly many of those.
pub(super) fn name<B>(span: &Span, response: &ServiceResponse<B>) {
    let method = response.request().method();
    if let Some(route) = response.request().match_pattern() {
        span.record("otel.name", format!("{method} {route}"));
    }
    span.record("http.response.status_code", response.status().as_u16());
}
