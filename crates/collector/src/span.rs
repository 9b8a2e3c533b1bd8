use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span as Pushed, status::StatusCode},
};

/// A span as it was pushed. Ids are in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its trace.
    pub trace: String,
    /// Its id.
    pub id: String,
    /// The span that it is below; empty where it begins its trace.
    pub parent: String,
    /// Its name.
    pub name: String,
    /// Whether it is said to have failed.
    pub is_failed: bool,
    /// Its attributes, as text.
    pub attributes: BTreeMap<String, String>,
    /// Trace and id of the spans that it is linked to.
    pub links: Vec<(String, String)>,
}

impl Span {
    /// An attribute; empty where there is none.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// All spans of a push.
pub(crate) fn all_of(pushed: ExportTraceServiceRequest) -> impl Iterator<Item = Span> {
    let resources = pushed.resource_spans.into_iter();
    let scopes = resources.flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).map(Span::of)
}

impl Span {
    fn of(pushed: Pushed) -> Self {
        let links = pushed.links.iter();
        Self {
            trace: hex::encode(pushed.trace_id),
            id: hex::encode(pushed.span_id),
            parent: hex::encode(pushed.parent_span_id),
            name: pushed.name,
            is_failed: pushed
                .status
                .is_some_and(|status| status.code() == StatusCode::Error),
            links: links
                .map(|link| (hex::encode(&link.trace_id), hex::encode(&link.span_id)))
                .collect(),
            attributes: pushed.attributes.into_iter().filter_map(text).collect(),
        }
    }
}

fn text(attribute: KeyValue) -> Option<(String, String)> {
    let text = match attribute.value?.value? {
        Value::StringValue(text) => text,
        Value::BoolValue(value) => value.to_string(),
        Value::IntValue(value) => value.to_string(),
        Value::DoubleValue(value) => value.to_string(),
        other => format!("{other:?}"),
    };
    Some((attribute.key, text))
}
