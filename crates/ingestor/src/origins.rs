//! The spans that records come from, as their producers tell in the header `traceparent`.

use opentelemetry::trace::SpanContext;
use rdkafka::{
    Message,
    bindings::{rd_kafka_header_get_last, rd_kafka_headers_t},
    message::{BorrowedHeaders, Headers, OwnedHeaders},
    types::RDKafkaRespErr,
};
use service_runtime::telemetry::{self, trace_context};
use std::{ffi::CStr, ptr, slice};

const TRACE_PARENT: &CStr = c"traceparent";

/// Spans that records of a lane come from: those whose traces are recorded, and no more than a span can be linked to.
#[derive(Debug, Default)]
pub struct Origins(Vec<SpanContext>);

impl Origins {
    /// Notes where a record comes from, if it says so. Where traces go nowhere, its headers are not looked into.
    pub(crate) fn note(&mut self, message: &impl Message<Headers: ByName>) {
        if telemetry::exports_traces() {
            self.add(message);
        }
    }

    fn add(&mut self, message: &impl Message<Headers: ByName>) {
        if self.0.len() < trace_context::MOST_LINKS {
            let headers = message.headers();
            self.0.extend(headers.and_then(origin));
        }
    }

    /// What was noted.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &SpanContext> {
        self.0.iter()
    }
}

fn origin(headers: &impl ByName) -> Option<SpanContext> {
    let value = headers.last(TRACE_PARENT)?;
    trace_context::origin(str::from_utf8(value).ok()?)
}

/// Headers that are found by their name. The library's own way reads the names of others too, and panics where one is no
/// UTF-8.
pub(crate) trait ByName: Headers {
    /// The value of the last header of this name.
    fn last(&self, name: &CStr) -> Option<&[u8]>;
}

impl ByName for BorrowedHeaders {
    #[expect(
        unsafe_code,
        reason = "the library does not show what finds a header by its name"
    )]
    fn last(&self, name: &CStr) -> Option<&[u8]> {
        let headers = ptr::from_ref(self).cast::<rd_kafka_headers_t>();
        let (mut value, mut size) = (ptr::null(), 0);
        // SAFETY: a reference to headers is the library's pointer to them under another type; the value that is found
        // belongs to them and lives as long.
        unsafe {
            let found =
                rd_kafka_header_get_last(headers, name.as_ptr(), &raw mut value, &raw mut size);
            let is_found = found == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR && !value.is_null();
            is_found.then(|| slice::from_raw_parts(value.cast::<u8>(), size))
        }
    }
}

impl ByName for OwnedHeaders {
    fn last(&self, name: &CStr) -> Option<&[u8]> {
        self.as_borrowed().last(name)
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::{
        Timestamp,
        bindings::rd_kafka_header_add,
        message::{Header, OwnedMessage},
    };

    use super::*;

    const SPAN: &str = "b7ad6b7169203331";

    fn parent(flags: &str) -> Vec<u8> {
        format!("00-0af7651916cd43dd8448eb211c80319c-{SPAN}-{flags}").into_bytes()
    }

    fn headers(all: &[(&str, &[u8])]) -> OwnedHeaders {
        let with = |headers: OwnedHeaders, (key, value): &(&str, &[u8])| {
            let value = Some(*value);
            headers.insert(Header { key, value })
        };
        all.iter().fold(OwnedHeaders::new(), with)
    }

    /// What is noted of so many records with these headers.
    fn noted(headers: OwnedHeaders, records: usize) -> Vec<String> {
        let (topic, timestamp) = ("topic".to_owned(), Timestamp::NotAvailable);
        let message = OwnedMessage::new(None, None, topic, timestamp, 0, 0, Some(headers));
        let mut origins = Origins::default();
        for _ in 0..records {
            origins.add(&message);
        }
        let ids = origins.iter().map(|origin| origin.span_id().to_string());
        ids.collect()
    }

    #[test]
    fn a_record_comes_from_the_span_that_its_header_names() {
        let parent = parent("01");
        let all: [(&str, &[u8]); 3] = [
            ("source", b"\xff"),
            ("traceparent", b"first"),
            ("traceparent", &parent),
        ];
        assert_eq!(noted(headers(&all), 1), [SPAN]);
    }

    #[test]
    fn what_is_not_recorded_or_cannot_be_read_is_passed_over() {
        assert!(noted(headers(&[]), 1).is_empty());
        let long = vec![b'0'; 100_000];
        for value in [&parent("00")[..], b"", b"\xff", b"00-xyz", &long] {
            let headers = headers(&[("traceparent", value)]);
            assert!(noted(headers, 1).is_empty(), "{value:?}");
        }
    }

    #[test]
    #[expect(unsafe_code, reason = "only so can a header be named like that")]
    fn a_name_that_is_no_text_does_no_harm() {
        let parent = parent("01");
        let headers = headers(&[("traceparent", &parent)]);
        let name = c"\xff\xfe";
        let own = ptr::from_ref(headers.as_borrowed()).cast_mut();
        // SAFETY: nobody else has these headers; the library copies name and value.
        let added = unsafe {
            rd_kafka_header_add(
                own.cast::<rd_kafka_headers_t>(),
                name.as_ptr(),
                -1,
                name.as_ptr().cast(),
                1,
            )
        };
        assert_eq!(added, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR);
        assert_eq!(noted(headers, 1), [SPAN]);
    }

    #[test]
    fn no_more_are_noted_than_a_span_can_be_linked_to() {
        let most = trace_context::MOST_LINKS;
        let parent = parent("01");
        let headers = headers(&[("traceparent", &parent)]);
        assert_eq!(noted(headers, 2 * most).len(), most);
    }
}
