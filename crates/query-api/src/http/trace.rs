use actix_web::{HttpMessage, dev::ServiceRequest, http::header::HeaderMap};
use opentelemetry::propagation::Extractor;
use service_runtime::telemetry::trace_context;
use tracing::{Span, info_span};

use super::RequestId;

/// The span of a request that waits for its caller to be let in: it belongs to a trace from when it is first entered.
pub(super) struct Waiting(pub(super) Span);

/// What the log knows the request by until then. It belongs to no trace.
pub(super) fn logged(id: &RequestId) -> Span {
    info_span!(target: "query_api::untraced", "request", request_id = %id)
}

/// The span of a request whose caller was just let in, as a part of the caller's trace if it has one. Not of others:
/// anybody could have their requests recorded.
pub(crate) fn continue_trace(request: &ServiceRequest) -> Span {
    let waiting = request.extensions_mut().remove();
    let span = waiting.map_or_else(Span::none, |Waiting(span)| span);
    trace_context::continue_from(&span, &Carrier(request.headers()));
    span
}

/// The headers of a request, where a caller's W3C trace context is looked for.
struct Carrier<'h>(&'h HeaderMap);

impl Extractor for Carrier<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}
