use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::config::{HumanDuration, Problem, Secret, Settings};

/// The PostgreSQL database that keeps lanes, batches, API keys and the audit.
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

impl Settings for Config {
    /// Within no time no connection comes about, and PostgreSQL takes a `statement_timeout` of 0 for none at all.
    fn validate(&self) -> Result<(), Vec<Problem>> {
        let too_short = [
            Problem::too_short("connect_timeout", self.connect_timeout),
            Problem::too_short("statement_timeout", self.statement_timeout),
        ];
        Problem::none_of(too_short.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid() {
        assert_eq!(Config::default().validate(), Ok(()));
    }

    #[test]
    fn timeouts_of_less_than_a_millisecond_are_refused() {
        let config = Config {
            connect_timeout: HumanDuration::secs(0),
            statement_timeout: std::time::Duration::from_micros(500).into(),
            ..Config::default()
        };
        let problems = config.validate().unwrap_err();
        let names: Vec<_> = problems.iter().map(|problem| &problem.setting).collect();
        assert_eq!(names, ["connect_timeout", "statement_timeout"]);
    }
}
