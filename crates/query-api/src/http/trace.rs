use actix_web::http::header::HeaderMap;
use opentelemetry::propagation::Extractor;

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
