use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::config::{Problem, Settings};

/// The settings of the verifier: where the stores are.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The database of the events.
    pub clickhouse: event_store::Config,
    /// The database of the lanes.
    pub postgres: metadata_store::Config,
}

impl Settings for Config {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        Problem::of_sections([
            ("clickhouse", self.clickhouse.validate()),
            ("postgres", self.postgres.validate()),
        ])
    }
}
