use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::{
    cli::ServiceSettings,
    config::{Problem, Settings},
    telemetry::TelemetryConfig,
};

/// The stores that are migrated.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// ClickHouse, as a user who may create databases, tables and views.
    pub clickhouse: event_store::Config,
    /// PostgreSQL, as a user who may create tables.
    pub postgres: metadata_store::Config,
    /// Logs, metrics and traces.
    pub telemetry: TelemetryConfig,
}

impl Settings for Config {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        Problem::of_sections([
            ("clickhouse", self.clickhouse.validate()),
            ("telemetry", self.telemetry.validate()),
        ])
    }
}

impl ServiceSettings for Config {
    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }
}
