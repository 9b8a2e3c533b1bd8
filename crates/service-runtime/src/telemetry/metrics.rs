use std::sync::LazyLock;

use opentelemetry::metrics::Meter;
use opentelemetry_otlp::{MetricExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkError,
    metrics::{PeriodicReader, SdkMeterProvider},
};
use prometheus::{Encoder, Registry, TextEncoder, process_collector::ProcessCollector};

use super::{TelemetryConfig, TelemetryError, traces::http_client};

/// Histogram boundaries for durations in seconds, from half a millisecond to one minute.
pub const LATENCY_SECONDS: [f64; 16] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0,
];

/// What `/metrics` shows. One per process, as the meter provider is.
static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::new);

/// Why metrics could not be set up or shown.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The Prometheus exporter could not be made.
    #[error("the Prometheus exporter could not be made: {0}")]
    Exporter(#[from] OTelSdkError),
    /// The metrics of the process could not be registered, or the metrics not be written as text.
    #[error("the Prometheus registry failed: {0}")]
    Registry(#[from] prometheus::Error),
}

/// The meter with which a crate makes its instruments.
///
/// Instruments made before [`init`](super::init) count nothing, so make them when the service starts,
/// not in a static. Ours begin with `openride_`, OpenTelemetry's keep their dots (`db.client.operation.duration`); units are
/// given to the instrument, and Prometheus shows them and `_total` behind the name.
pub fn meter() -> Meter {
    opentelemetry::global::meter("openride")
}

/// All metrics of this process in the text format of Prometheus.
pub fn render() -> Result<String, MetricsError> {
    let mut text = Vec::new();
    TextEncoder::new().encode(&REGISTRY.gather(), &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The content type of [`render`].
pub(crate) const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

pub(super) fn provider(
    resource: Resource,
    config: &TelemetryConfig,
) -> Result<SdkMeterProvider, TelemetryError> {
    let mut builder = SdkMeterProvider::builder()
        .with_resource(resource)
        .with_reader(prometheus_reader()?);
    if let Some(endpoint) = &config.otlp_endpoint {
        let exporter = MetricExporter::builder()
            .with_http()
            .with_http_client(http_client()?)
            .with_endpoint(super::traces::signal_url(endpoint, "metrics"))
            .build()?;
        let reader = PeriodicReader::builder(exporter).with_interval(*config.otlp_interval);
        builder = builder.with_reader(reader.build());
    }
    Ok(builder.build())
}

fn prometheus_reader() -> Result<opentelemetry_prometheus::PrometheusExporter, MetricsError> {
    REGISTRY.register(Box::new(ProcessCollector::for_self()))?;
    let exporter = opentelemetry_prometheus::exporter()
        .with_registry(REGISTRY.clone())
        .scope_info_enabled(false);
    Ok(exporter.build()?)
}
