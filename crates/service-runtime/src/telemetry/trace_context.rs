//! The W3C trace context (`traceparent`, `tracestate`) as strings: in HTTP headers, Kafka headers, jobs.

use std::{borrow::Cow, collections::HashMap};

use opentelemetry::{
    Context, KeyValue,
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanContext, Status, TraceContextExt},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACE_PARENT: &str = "traceparent";

/// The context of the span that is running, as strings; empty when none is.
pub fn inject_current() -> HashMap<String, String> {
    Context::map_current(strings)
}

fn strings(context: &Context) -> HashMap<String, String> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(context, &mut carrier);
    // a `tracestate` that says nothing need not be sent
    carrier.retain(|_, value| !value.is_empty());
    carrier
}

/// The ids of the span that is running, if any is.
pub(super) fn current() -> Option<SpanContext> {
    let current = Context::map_current(|context| context.span().span_context().clone());
    current.is_valid().then_some(current)
}

/// The context that came with a message. Without a valid `traceparent` it is one that traces nothing.
/// Names are in lower case.
pub fn extract(carrier: &dyn Extractor) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), carrier)
}

/// Makes a span, before it is entered, the child of the context that came with a message.
pub fn continue_from(span: &Span, carrier: &dyn Extractor) {
    let context = extract(carrier);
    if context.span().span_context().is_valid() {
        // It fails only where nothing is traced, and then there is nothing to continue.
        let _ = span.set_parent(context);
    }
}

/// Names a span by what is known only once it runs; its field `otel.name` is not heard then.
pub fn name(span: &Span, name: impl Into<Cow<'static, str>>) {
    span.context().span().update_name(name);
}

/// Tells traces of a span what is known only once it runs, and nobody else: for a field that is recorded late, the log
/// reads and writes anew all that it had written of the span.
pub fn add(span: &Span, attributes: impl IntoIterator<Item = KeyValue>) {
    for KeyValue { key, value, .. } in attributes {
        span.set_attribute(key, value);
    }
}

/// Tells traces that what a span is about has failed.
pub fn fail(span: &Span) {
    span.set_status(Status::error(""));
}

/// Links that a span keeps, as OpenTelemetry bounds them.
pub const MOST_LINKS: usize = 128;

/// The span that a message comes from, as its `traceparent` tells, if its trace is recorded: there is nothing to see of
/// another.
pub fn origin(trace_parent: &str) -> Option<SpanContext> {
    let context = extract(&TraceParent(trace_parent));
    let origin = context.span().span_context().clone();
    (origin.is_valid() && origin.is_sampled()).then_some(origin)
}

/// Links a span to those that messages come from which it handles together.
pub fn link<'o>(span: &Span, origins: impl Iterator<Item = &'o SpanContext>) {
    for origin in origins.take(MOST_LINKS) {
        span.add_link(origin.clone());
    }
}

/// A context of which nothing but the `traceparent` is known.
struct TraceParent<'t>(&'t str);

impl Extractor for TraceParent<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        (name == TRACE_PARENT).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACE_PARENT]
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn carrier(trace_parent: &str) -> HashMap<String, String> {
        HashMap::from([("traceparent".to_owned(), trace_parent.to_owned())])
    }

    fn traced<T>(run: impl FnOnce() -> T) -> T {
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), run)
    }

    #[test]
    fn a_span_continues_the_trace_that_came_with_a_message_and_passes_it_on() {
        let passed_on = traced(|| {
            let span = tracing::info_span!("handle");
            continue_from(&span, &carrier(CALLER));
            span.in_scope(inject_current)
        });
        let trace_parent = &passed_on["traceparent"];
        assert!(
            trace_parent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"),
            "{trace_parent}"
        );
        assert!(
            !trace_parent.contains("b7ad6b7169203331"),
            "a new span id: {trace_parent}"
        );
    }

    #[test]
    fn a_malformed_context_is_passed_over() {
        for malformed in [
            "",
            "00-xyz",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        ] {
            assert!(
                !extract(&carrier(malformed))
                    .span()
                    .span_context()
                    .is_valid()
            );
        }
    }

    #[test]
    fn without_tracing_nothing_is_injected() {
        assert_eq!(Span::none().in_scope(inject_current), HashMap::new());
    }
}
