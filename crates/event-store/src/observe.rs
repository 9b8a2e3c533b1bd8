//! What is told of every statement: how long it took, and, where it belongs to a trace, a span of its own.
//!
//! Neither its text nor its parameters are told: these may be personal. Its name is, and the id by which the server's
//! query log finds it.

use std::time::Instant;

use opentelemetry::{KeyValue, metrics::Histogram};
use service_runtime::telemetry::{self, LATENCY_SECONDS, trace_context};
use tracing::{Instrument as _, Span, field, info_span};

use crate::error::{Operation, StoreError};

/// The server, as OpenTelemetry names it.
const SYSTEM: &str = "clickhouse";

/// The name of statements without one. Their ids must not be the values of a label: there are endlessly many of those.
const UNNAMED: &str = "unnamed";

/// A statement, as it is told.
pub(crate) struct Told<'s> {
    pub(crate) operation: Operation,
    /// One of a few.
    pub(crate) name: Option<&'s str>,
    pub(crate) query_id: &'s str,
}

/// The instrument of a client.
pub(crate) fn duration() -> Histogram<f64> {
    telemetry::meter()
        .f64_histogram("db.client.operation.duration")
        .with_description("Time from sending a statement to the end of its answer, by its name.")
        .with_unit("s")
        .with_boundaries(LATENCY_SECONDS.to_vec())
        .build()
}

/// The span of a statement. Where none is running there is none: a statement begins no trace.
pub(crate) fn span(database: &str) -> Span {
    if Span::current().is_none() {
        return Span::none();
    }
    info_span!(
        "statement",
        otel.kind = "client",
        otel.status_code = field::Empty,
        db.system.name = SYSTEM,
        db.namespace = database,
        db.operation.name = field::Empty,
        db.query.summary = field::Empty,
        db.response.status_code = field::Empty,
        clickhouse.query_id = field::Empty,
        error.type = field::Empty,
    )
}

impl Told<'_> {
    /// Runs the statement within its span, and times it.
    pub(crate) async fn run<T>(
        &self,
        duration: &Histogram<f64>,
        span: Span,
        statement: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let (operation, name) = (self.operation.as_str(), self.name.unwrap_or(UNNAMED));
        trace_context::name(&span, name.to_owned());
        span.record("db.operation.name", operation);
        span.record("db.query.summary", name);
        span.record("clickhouse.query_id", self.query_id);
        let began = Instant::now();
        let result = statement.instrument(span.clone()).await;
        let mut attributes = vec![
            KeyValue::new("db.system.name", SYSTEM),
            KeyValue::new("db.operation.name", operation),
            KeyValue::new("db.query.summary", name.to_owned()),
        ];
        if let Err(error) = &result {
            attributes.push(KeyValue::new("error.type", error.kind()));
            span.record("otel.status_code", "error");
            span.record("error.type", error.kind());
            if let Some(code) = error.server_code() {
                span.record("db.response.status_code", code);
            }
        }
        duration.record(began.elapsed().as_secs_f64(), &attributes);
        result
    }
}
