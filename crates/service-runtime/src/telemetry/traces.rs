use std::{thread, time::Duration};

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tracing::Subscriber;
use tracing_subscriber::{Layer, filter, registry::LookupSpan};
use url::Url;

use super::{TelemetryConfig, TelemetryError};

/// How long one push to the collector may take.
const PUSH_TIMEOUT: Duration = Duration::from_secs(10);

/// Libraries that carry the spans to the collector: a span about sending spans would never end.
const TRANSPORT: [&str; 6] = [
    "opentelemetry",
    "reqwest",
    "hyper",
    "hyper_util",
    "h2",
    "rustls",
];

pub(super) fn provider(
    resource: Resource,
    config: &TelemetryConfig,
) -> Result<Option<SdkTracerProvider>, TelemetryError> {
    let Some(endpoint) = &config.otlp_endpoint else {
        return Ok(None);
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(http_client()?)
        .with_endpoint(signal_url(endpoint, "traces"))
        .build()?;
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.trace_ratio)));
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(sampler)
        .with_batch_exporter(exporter);
    Ok(Some(provider.build()))
}

pub(super) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let ours = filter::filter_fn(|metadata| {
        let library = metadata.target().split("::").next().unwrap_or_default();
        !TRANSPORT.contains(&library)
    });
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("openride"))
        .with_filter(ours)
}

/// Where a collector takes a signal: `v1/traces` below its base URL.
pub(super) fn signal_url(endpoint: &Url, signal: &str) -> String {
    format!("{}/v1/{signal}", endpoint.as_str().trim_end_matches('/'))
}

/// The exporters run on threads of their own and want a blocking client, which must not be made on a
/// thread that drives a tokio runtime.
pub(super) fn http_client() -> Result<reqwest::blocking::Client, TelemetryError> {
    let build = || {
        reqwest::blocking::Client::builder()
            .timeout(PUSH_TIMEOUT)
            .build()
    };
    let client = thread::scope(|scope| scope.spawn(build).join());
    match client {
        Ok(client) => Ok(client?),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_has_its_path_below_the_base_url_with_or_without_a_slash() {
        for base in ["http://127.0.0.1:4318", "http://127.0.0.1:4318/"] {
            let url = signal_url(&base.parse().unwrap(), "traces");
            assert_eq!(url, "http://127.0.0.1:4318/v1/traces");
        }
        let below = signal_url(&"https://host/otlp".parse().unwrap(), "metrics");
        assert_eq!(below, "https://host/otlp/v1/metrics");
    }
}
