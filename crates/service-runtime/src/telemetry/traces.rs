use std::{thread, time::Duration};

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tracing::{Level, Subscriber};
use tracing_subscriber::{
    Layer,
    filter::{self, LevelFilter},
    registry::LookupSpan,
};
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

/// The end of the target of spans that belong to no trace, and are for the log alone.
const UNTRACED: &str = "::untraced";

/// Without a collector, spans only have ids, for the logs and for servers that are asked. They are marked as not
/// recorded, unless a caller wants his trace recorded: it may go on in a server that does.
pub(super) fn provider(
    resource: Resource,
    config: &TelemetryConfig,
) -> Result<SdkTracerProvider, TelemetryError> {
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let Some(endpoint) = &config.otlp_endpoint else {
        let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOff));
        return Ok(builder.with_sampler(sampler).build());
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(http_client()?)
        .with_endpoint(signal_url(endpoint, "traces"))
        .build()?;
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.trace_ratio)));
    Ok(builder
        .with_sampler(sampler)
        .with_batch_exporter(exporter)
        .build())
}

/// Traces spans of level info and above, whatever the logs let through. What happens in them is of interest only
/// where it is `exported`.
pub(super) fn layer<S>(provider: &SdkTracerProvider, exported: bool) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let traced = filter::filter_fn(move |metadata| {
        let library = metadata.target().split("::").next().unwrap_or_default();
        *metadata.level() <= Level::INFO
            && (exported || metadata.is_span())
            && !TRANSPORT.contains(&library)
            && !metadata.target().ends_with(UNTRACED)
    });
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("openride"))
        .with_location(exported)
        .with_threads(exported)
        .with_tracked_inactivity(exported)
        .with_filter(traced.with_max_level_hint(LevelFilter::INFO))
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
