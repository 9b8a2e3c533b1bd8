use opentelemetry::metrics::Histogram;
use service_runtime::telemetry::{self, LATENCY_SECONDS};

use super::answered::Answered;

/// Counts and times requests.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    duration: Histogram<f64>,
}

impl Requests {
    pub(crate) fn new() -> Self {
        let duration = telemetry::meter()
            .f64_histogram("http.server.request.duration")
            .with_description("Time from the head of a request to the head of its answer.")
            .with_unit("s")
            .with_boundaries(LATENCY_SECONDS.to_vec())
            .build();
        Self { duration }
    }

    pub(super) fn count(&self, answered: &Answered) {
        let seconds = answered.took().as_secs_f64();
        self.duration.record(seconds, &answered.attributes());
    }
}
