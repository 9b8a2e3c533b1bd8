use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::config::{HumanDuration, Problem, Settings};

use super::keyring::RELIED_ON;

/// Who is let in.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// Whether callers must show an API key or a token. `off` lets everybody do everything, and is only possible where the
    /// API listens to its own machine.
    pub mode: AuthMode,
    /// Requests that each caller may make in a minute, over all replicas.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub requests_per_minute: u32,
    /// How long what is known of a key is relied on: a key that is revoked may be used with other replicas for as long. While
    /// PostgreSQL is away it is relied on for ten minutes, and so is a key that was revoked shortly before.
    pub recheck: HumanDuration,
}

/// Whether callers must show who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthMode {
    /// They must.
    Required,
    /// Everybody is let in.
    Off,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            mode: AuthMode::Required,
            requests_per_minute: 600,
            recheck: HumanDuration::secs(5),
        }
    }
}

impl Settings for AuthConfig {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::from_iter(Problem::too_short("recheck", self.recheck));
        if self.recheck.get() > RELIED_ON {
            problems.push(Problem::new("recheck", "it may be ten minutes at most"));
        }
        if self.requests_per_minute == 0 {
            problems.push(Problem::new("requests_per_minute", "it must be at least 1"));
        }
        Problem::none_of(problems)
    }
}
