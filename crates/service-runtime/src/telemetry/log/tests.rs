use std::sync::{Arc, Mutex};

use std::collections::HashMap;

use opentelemetry_sdk::Resource;
use tracing::{info, info_span};
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::telemetry::{TelemetryConfig, traces};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

const HOSTILE: &str = "a\nINFO forged\r\u{1b}[31m\u{9b}b\u{7f}";

fn log_hostile_values<L: Layer<tracing_subscriber::Registry> + Send + Sync>(layer: L) {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let span = tracing::info_span!("request", path = %HOSTILE);
        span.in_scope(|| info!(user = %HOSTILE, quoted = HOSTILE, "{HOSTILE}"));
    });
}

#[test]
fn control_characters_in_fields_spans_and_messages_stay_on_one_text_line() {
    let lines = Lines::default();
    let writer = lines.clone();
    log_hostile_values(text(move || writer.clone(), false));
    let logged = lines.text();
    assert_eq!(logged.matches('\n').count(), 1, "{logged}");
    assert!(!logged.trim_end().contains(char::is_control), "{logged:?}");
    assert!(
        logged.contains(r"user=a\nINFO forged\r\u{1b}[31m\u{9b}b\u{7f}"),
        "{logged}"
    );
}

#[test]
fn a_json_log_line_is_one_object_with_the_values_unchanged() {
    let lines = Lines::default();
    let writer = lines.clone();
    log_hostile_values(json(move || writer.clone()));
    let logged = lines.text();
    assert_eq!(logged.matches('\n').count(), 1, "{logged}");
    let line: serde_json::Value = serde_json::from_str(&logged).unwrap();
    assert_eq!(line["user"], HOSTILE);
    assert_eq!(line["message"], HOSTILE);
    assert_eq!(line["spans"][0]["path"], HOSTILE);
}

/// Runs with traces as they are without a collector; the lines that were logged.
fn logged(run: impl FnOnce()) -> Vec<serde_json::Value> {
    let lines = Lines::default();
    let writer = lines.clone();
    let provider =
        traces::provider(Resource::builder().build(), &TelemetryConfig::default()).unwrap();
    let subscriber = tracing_subscriber::registry()
        .with(json(move || writer.clone()))
        .with(traces::layer(&provider, false));
    tracing::subscriber::with_default(subscriber, run);
    let text = lines.text();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[test]
fn lines_within_a_span_have_the_ids_that_other_servers_are_told() {
    let mut told = HashMap::new();
    let lines = logged(|| {
        info!("before");
        info_span!("request").in_scope(|| {
            info_span!("step").in_scope(|| info!("deeper"));
            info!("inside");
            told = trace_context::inject_current();
        });
        info!("after");
        assert_eq!(trace_context::inject_current(), HashMap::new());
    });
    let [before, deeper, inside, after] = &lines[..] else {
        panic!("{lines:?}")
    };
    let ids = |line: &serde_json::Value| {
        let id = |name: &str| line[name].as_str().unwrap().to_owned();
        (id("trace_id"), id("span_id"))
    };
    let ((trace, span), (same_trace, other_span)) = (ids(inside), ids(deeper));
    assert_eq!(told["traceparent"], format!("00-{trace}-{span}-00"));
    assert_eq!(told.len(), 1);
    assert_eq!(trace, same_trace);
    assert_ne!(span, other_span);
    assert_eq!(inside["spans"][0]["name"], "request");
    assert!(before["trace_id"].is_null() && after["trace_id"].is_null());
}

#[test]
fn a_caller_s_trace_goes_on_with_its_id_and_its_wish_to_be_recorded() {
    for flags in ["00", "01"] {
        let mut told = HashMap::new();
        let lines = logged(|| {
            let span = info_span!("request");
            let parent = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
            let carrier = HashMap::from([
                ("traceparent".to_owned(), parent),
                ("tracestate".to_owned(), "vendor=1".to_owned()),
            ]);
            trace_context::continue_from(&span, &carrier);
            let _entered = span.enter();
            info!("inside");
            told = trace_context::inject_current();
        });
        assert_eq!(lines[0]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        let span = lines[0]["span_id"].as_str().unwrap();
        assert_ne!(span, "b7ad6b7169203331");
        let parent = format!("00-0af7651916cd43dd8448eb211c80319c-{span}-{flags}");
        assert_eq!(told["traceparent"], parent);
        assert_eq!(told["tracestate"], "vendor=1");
    }
}
