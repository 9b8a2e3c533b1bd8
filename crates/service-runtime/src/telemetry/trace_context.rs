//! The W3C trace context (`traceparent`, `tracestate`) as strings: in HTTP headers, Kafka headers, jobs.

use std::collections::HashMap;

use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanContext, TraceContextExt},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

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

/// Links a span to the context of one of several messages that it handles together.
pub fn link(span: &Span, carrier: &dyn Extractor) {
    let context = extract(carrier);
    let linked = context.span().span_context().clone();
    if linked.is_valid() {
        span.add_link(linked);
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    const TRACE_PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

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
            continue_from(&span, &carrier(TRACE_PARENT));
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
