use opentelemetry_sdk::{metrics::SdkMeterProvider, trace::SdkTracerProvider};
use tracing::warn;

/// Sends what is still buffered when it is dropped. Lives as long as `main` and is dropped outside of
/// any tokio runtime, because the exporter blocks.
#[derive(Debug)]
#[must_use = "telemetry ends when the guard is dropped"]
pub struct TelemetryGuard {
    meter_provider: SdkMeterProvider,
    tracer_provider: SdkTracerProvider,
}

impl TelemetryGuard {
    pub(super) fn new(
        meter_provider: SdkMeterProvider,
        tracer_provider: SdkTracerProvider,
    ) -> Self {
        Self {
            meter_provider,
            tracer_provider,
        }
    }
}

impl Drop for TelemetryGuard {
    fn drop(&mut self) {
        if let Err(error) = self.tracer_provider.shutdown() {
            warn!(%error, "the last traces were not sent");
        }
        if let Err(error) = self.meter_provider.shutdown() {
            warn!(%error, "the last metrics were not sent");
        }
    }
}
