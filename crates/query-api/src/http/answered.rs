use std::time::{Duration, Instant};

use actix_web::{HttpMessage as _, dev::ServiceResponse, http::Method};
use opentelemetry::KeyValue;
use service_runtime::telemetry::trace_context;
use tracing::{Span, debug, info};
use uuid::Uuid;

use crate::{access::Caller, cache::Source};

/// Stands for the pattern of a path that does not exist: there are endlessly many of those.
const NO_ROUTE: &str = "none";

/// Paths that machines ask every few seconds.
const PROBES: [&str; 4] = ["/health", "/health/live", "/health/ready", "/metrics"];

/// What logs, traces and metrics tell of a request that was answered. Of its path it is the pattern, never what the
/// client wrote.
pub(super) struct Answered {
    method: &'static str,
    route: String,
    status: u16,
    took: Duration,
    /// The id of the caller's key.
    key: Option<Uuid>,
    /// Where an answer came from that may be kept.
    cache: Option<Source>,
}

impl Answered {
    pub(super) fn of<B>(response: &ServiceResponse<B>, began: Instant) -> Self {
        let request = response.request();
        let extensions = request.extensions();
        Self {
            method: method(request.method()),
            route: request
                .match_pattern()
                .unwrap_or_else(|| NO_ROUTE.to_owned()),
            status: response.status().as_u16(),
            took: began.elapsed(),
            key: extensions.get().and_then(|caller: &Caller| caller.key),
            cache: extensions.get().copied(),
        }
    }

    /// The one line of the request. Probes would drown the others, and are logged as details.
    pub(super) fn log(&self) {
        let (cache, key) = (self.cache.map(Source::as_str), self.key);
        let key = key.map(|key| key.to_string());
        macro_rules! line {
            ($level:ident) => {
                $level!(
                    http.request.method = self.method,
                    http.route = self.route,
                    http.response.status_code = self.status,
                    duration_seconds = self.took.as_secs_f64(),
                    cache.result = cache,
                    caller.key_id = key,
                    "answered"
                )
            };
        }
        match PROBES.contains(&self.route.as_str()) {
            true => line!(debug),
            false => line!(info),
        }
    }

    /// What the span of the request still lacks.
    pub(super) fn record(&self, span: &Span) {
        trace_context::name(span, format!("{} {}", self.method, self.route));
        trace_context::add(span, self.attributes());
        if self.status >= 500 {
            trace_context::fail(span);
        }
        let cache = self.cache.map(Source::as_str);
        let cache = cache.map(|source| KeyValue::new("cache.result", source));
        let key = self.key.map(|key| key.to_string());
        let key = key.map(|key| KeyValue::new("caller.key_id", key));
        trace_context::add(span, cache.into_iter().chain(key));
    }

    pub(super) fn took(&self) -> Duration {
        self.took
    }

    /// As OpenTelemetry names them.
    pub(super) fn attributes(&self) -> [KeyValue; 3] {
        [
            KeyValue::new("http.request.method", self.method),
            KeyValue::new("http.route", self.route.clone()),
            KeyValue::new("http.response.status_code", i64::from(self.status)),
        ]
    }
}

/// A method as logs, traces and metrics tell it: clients can make methods up.
pub(super) fn method(method: &Method) -> &'static str {
    match method.as_str() {
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
