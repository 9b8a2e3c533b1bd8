use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::config::{HumanDuration, Secret};

/// The PostgreSQL database that keeps lanes, batches and schedules.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Connection URL, `postgres://user:password@host:port/database`. Commits must be durable on that server. Locks are
    /// kept by sessions, so a pooler on the way must be in session mode.
    pub url: Secret,
    /// Connections at most.
    #[schemars(range(min = 1, max = 100))]
    pub pool_size: u16,
    /// How long to wait for a connection.
    pub connect_timeout: HumanDuration,
    /// How long one statement may run. Where a whole operation is not over 5 s after that, the server is taken for dead
    /// and the connection is given up.
    pub statement_timeout: HumanDuration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Secret::from("postgres://openride@127.0.0.1:15432/openride_analytics"),
            pool_size: 4,
            connect_timeout: HumanDuration::secs(5),
            statement_timeout: HumanDuration::secs(10),
        }
    }
}
