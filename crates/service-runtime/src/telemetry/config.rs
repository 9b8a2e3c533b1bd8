use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::config::{HumanDuration, Problem, Settings};

/// Logs, metrics and traces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// What is logged: a level (error, warn, info, debug, trace), optionally refined by target, as in
    /// `info,ingestor=debug`.
    pub log_filter: String,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// Base URL of an OTLP/HTTP collector such as `http://127.0.0.1:4318`. Metrics and traces are pushed
    /// there; without it, metrics are only served at `/metrics`, and of traces there are only the ids in the logs.
    pub otlp_endpoint: Option<Url>,
    /// How often metrics are pushed to the collector.
    pub otlp_interval: HumanDuration,
    /// Share of the traces begun here that are recorded, from 0 to 1; traces begun elsewhere keep the
    /// decision taken there.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub trace_ratio: f64,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// One JSON object per line.
    Json,
    /// For people.
    Text,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            log_filter: "info,actix_server=warn,opentelemetry=warn".to_owned(),
            log_format: LogFormat::Auto,
            otlp_endpoint: None,
            otlp_interval: HumanDuration::secs(15),
            trace_ratio: 1.0,
        }
    }
}

impl Settings for TelemetryConfig {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        if let Err(error) = super::filter(&self.log_filter) {
            problems.push(Problem::new("log_filter", error.to_string()));
        }
        if self.otlp_interval.is_zero() {
            problems.push(Problem::new("otlp_interval", "must be longer than 0s"));
        }
        let scheme = self.otlp_endpoint.as_ref().map(Url::scheme);
        if scheme.is_some_and(|scheme| scheme != "http" && scheme != "https") {
            problems.push(Problem::new(
                "otlp_endpoint",
                "must be an http or https URL",
            ));
        }
        Problem::none_of(problems)
    }
}
