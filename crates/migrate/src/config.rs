use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::{
    cli::ServiceSettings,
    config::{HumanDuration, Problem, Settings},
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
    /// How long `migrate` may wait and take.
    pub migration: Limits,
    /// Logs, metrics and traces.
    pub telemetry: TelemetryConfig,
}

/// How long `migrate` may wait and take.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How long `migrate` waits for other migrations, and until the batches and settlings that are open are closed. No
    /// ingestor opens another one meanwhile.
    pub patience: HumanDuration,
    /// How long PostgreSQL's migrations may take together. Its `statement_timeout` is for everyday's statements.
    pub postgres: HumanDuration,
    /// How long each statement of ClickHouse's migrations may take: some move what is stored. Its `request_timeout` is
    /// for everyday's queries.
    pub clickhouse: HumanDuration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            patience: HumanDuration::secs(120),
            postgres: HumanDuration::secs(3600),
            clickhouse: HumanDuration::secs(3600),
        }
    }
}

impl Settings for Config {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        Problem::of_sections([
            ("clickhouse", self.clickhouse.validate()),
            ("postgres", self.postgres.validate()),
            ("telemetry", self.telemetry.validate()),
        ])
    }
}

impl ServiceSettings for Config {
    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }
}
