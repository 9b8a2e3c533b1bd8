//! Logs, metrics and traces: one setup for every process.
//!
//! Logs go to standard error, as text for people and as JSON, one object per line, for machines.
//! Metrics are collected by one OpenTelemetry meter provider and read by Prometheus at `/metrics`; with
//! an OTLP endpoint they are pushed there as well. Every span belongs to a trace, whose ids stand in the JSON lines
//! that are logged within it and go along to other servers ([`trace_context`]); with an OTLP endpoint, traces are
//! recorded and pushed there. Spans whose target ends with `::untraced` are for the log alone.

mod chain;
mod config;
mod guard;
mod log;
mod metrics;
mod pools;
pub mod trace_context;
mod traces;

use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::ParseError, layer::SubscriberExt, util::SubscriberInitExt,
};

pub use self::{
    chain::chain,
    config::{LogFormat, TelemetryConfig},
    guard::TelemetryGuard,
    metrics::{LATENCY_SECONDS, MetricsError, meter, render},
    pools::observe_pool,
};
pub(crate) use self::{log::log_panics, metrics::CONTENT_TYPE};

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter of the logs is malformed.
    #[error("the log filter `{filter}` is malformed: {source}")]
    Filter {
        /// The filter.
        filter: String,
        /// Why.
        source: ParseError,
    },
    /// The metrics could not be set up.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// An exporter for OTLP could not be made.
    #[error("the OTLP exporter could not be made: {0}")]
    Otlp(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The HTTP client of the exporter could not be made.
    #[error("the HTTP client of the OTLP exporter could not be made: {0}")]
    HttpClient(#[from] reqwest::Error),
    /// Telemetry was already set up in this process.
    #[error("telemetry was already set up in this process: {0}")]
    AlreadySet(#[from] tracing_subscriber::util::TryInitError),
}

/// Sets up logs, metrics and traces for this process; call it once, before a tokio runtime is entered.
///
/// What is still buffered is sent when the guard is dropped, so it has to live as long as `main`.
pub fn init(
    service_name: &'static str,
    version: &'static str,
    config: &TelemetryConfig,
) -> Result<TelemetryGuard, TelemetryError> {
    crate::lifecycle::install_crypto_provider();
    let filter = filter(&config.log_filter)?;
    let resource = Resource::builder()
        .with_service_name(service_name)
        .with_attribute(KeyValue::new("service.version", version))
        .build();
    let meter_provider = metrics::provider(resource.clone(), config)?;
    let tracer_provider = traces::provider(resource, config)?;
    let traces = traces::layer(&tracer_provider, config.otlp_endpoint.is_some());
    let logs = log::layer::<Registry>(config.log_format);
    tracing_subscriber::registry()
        .with(logs.with_filter(filter))
        .with(traces)
        .try_init()?;
    opentelemetry::global::set_meter_provider(meter_provider.clone());
    EXPORTS_TRACES.store(config.otlp_endpoint.is_some(), Ordering::Relaxed);
    Ok(TelemetryGuard::new(meter_provider, tracer_provider))
}

static EXPORTS_TRACES: AtomicBool = AtomicBool::new(false);

/// Whether this process pushes its traces anywhere: what only they would tell need not be looked for otherwise.
pub fn exports_traces() -> bool {
    EXPORTS_TRACES.load(Ordering::Relaxed)
}

/// The filter of the configuration, checked strictly: a typo would otherwise silence the logs.
fn filter(directives: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder()
        .parse(directives)
        .map_err(|source| TelemetryError::Filter {
            filter: directives.to_owned(),
            source,
        })
}
