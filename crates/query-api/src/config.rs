use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::{
    cli::ServiceSettings,
    config::{ByteSize, HumanDuration, Problem, Settings},
    telemetry::TelemetryConfig,
};

use crate::{
    access::{AuthConfig, AuthMode, TokenConfig},
    cache::CacheConfig,
    cells::CellsConfig,
    http::CorsConfig,
    redis::RedisConfig,
};

/// The settings of the query API.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where requests are answered.
    pub http: HttpConfig,
    /// The database of the events.
    pub clickhouse: event_store::Config,
    /// The user of ClickHouse that reads for callers that see some regions only.
    pub scoped: event_store::ScopedUser,
    /// The database of the lanes.
    pub postgres: metadata_store::Config,
    /// Who is let in.
    pub auth: AuthConfig,
    /// JSON Web Tokens that are accepted; none without `secret` or `jwks_url`.
    pub tokens: TokenConfig,
    /// The Redis server that all replicas share: answers that are kept, and counts of requests.
    pub redis: RedisConfig,
    /// Answers that are kept.
    pub cache: CacheConfig,
    /// The tokens that open counts down to their events.
    pub cells: CellsConfig,
    /// Logs, metrics, traces.
    pub telemetry: TelemetryConfig,
}

/// How requests are answered.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Address and port of the API; port 0 takes a free one. Without access control it must be a loopback address.
    pub listen: SocketAddr,
    /// Threads that answer requests; 0 takes one per core.
    #[schemars(range(max = 256))]
    pub workers: u16,
    /// Connections at most, shared out to the threads in equal parts. Further ones, also those of health checks, wait until
    /// one of these ends. Each may hold some 64 KiB of an answer, and is two open files; to have fewer of one address is for
    /// a proxy.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_connections: u32,
    /// How long a client may take for the body of a request, take in nothing of an answer, or ask for nothing, before its
    /// connection is ended.
    pub client_timeout: HumanDuration,
    /// How long the statements of a request may take, each. For half of that is waited before, for a turn, and for an answer
    /// that another replica makes.
    pub query_deadline: HumanDuration,
    /// Statements at most that ask ClickHouse at the same time, half of them for one caller at most where callers are known.
    /// Further ones wait for their turn, for half of `query_deadline`.
    #[schemars(range(min = 1, max = 10_000))]
    pub concurrent_queries: u16,
    /// Memory of ClickHouse that a statement may take at most. Of what needs more, callers are told to ask for less.
    pub query_memory: ByteSize,
    /// How long the lanes may be waited for. Metrics then show the last `complete_through` that was read,
    /// which stays true.
    pub lanes_deadline: HumanDuration,
    /// How long requests that are under way may take after a SIGTERM.
    pub shutdown_timeout: HumanDuration,
    /// Pages of other origins that may ask.
    pub cors: CorsConfig,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8097)),
            workers: 0,
            max_connections: 8192,
            client_timeout: HumanDuration::secs(30),
            query_deadline: HumanDuration::secs(10),
            concurrent_queries: 32,
            query_memory: ByteSize::mib(2048),
            lanes_deadline: HumanDuration::secs(1),
            shutdown_timeout: HumanDuration::secs(20),
            cors: CorsConfig::default(),
        }
    }
}

/// Less answers nothing, and 0 would be no bound to ClickHouse.
const LEAST_MEMORY: ByteSize = ByteSize::mib(1);

impl Settings for HttpConfig {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        if self.max_connections == 0 {
            problems.push(Problem::new("max_connections", "it must be at least 1"));
        }
        if self.concurrent_queries == 0 {
            problems.push(Problem::new("concurrent_queries", "it must be at least 1"));
        }
        if self.query_memory < LEAST_MEMORY {
            problems.push(Problem::new("query_memory", "it must be at least 1 MiB"));
        }
        problems.extend(Problem::too_short("client_timeout", self.client_timeout));
        for (name, value) in [
            ("query_deadline", self.query_deadline),
            ("lanes_deadline", self.lanes_deadline),
        ] {
            if value.is_zero() {
                problems.push(Problem::new(name, "it must be longer than 0s"));
            }
        }
        let cors = Problem::of_sections([("cors", self.cors.validate())]);
        problems.extend(cors.err().unwrap_or_default());
        Problem::none_of(problems)
    }
}

impl Settings for Config {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        let is_open = self.auth.mode == AuthMode::Off && !self.http.listen.ip().is_loopback();
        let open = is_open.then(|| {
            Problem::new(
                "mode",
                "it may be off only where http.listen is a loopback address such as 127.0.0.1:8097",
            )
        });
        let is_open_to_pages = self.auth.mode == AuthMode::Off && self.http.cors.allows_any();
        let open_to_pages = is_open_to_pages.then(|| {
            Problem::new(
                "cors.origins",
                "* is refused where auth.mode is off: any page that is opened on this machine could read and change everything",
            )
        });
        Problem::of_sections([
            ("auth", Problem::none_of(open)),
            ("http", Problem::none_of(open_to_pages)),
            ("http", self.http.validate()),
            ("clickhouse", self.clickhouse.validate()),
            ("scoped", self.scoped.validate()),
            ("postgres", self.postgres.validate()),
            ("auth", self.auth.validate()),
            ("tokens", self.tokens.validate()),
            ("redis", self.redis.validate()),
            ("cache", self.cache.validate()),
            ("cells", self.cells.validate()),
            ("telemetry", self.telemetry.validate()),
        ])
    }
}

impl ServiceSettings for Config {
    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid() {
        assert!(Config::default().validate().is_ok());
    }

    #[test]
    fn without_access_control_what_others_can_reach_is_refused() {
        for listen in ["0.0.0.0:8097", "192.168.1.5:8097", "[::]:8097"] {
            let http = HttpConfig {
                listen: listen.parse().unwrap(),
                ..HttpConfig::default()
            };
            let mut config = Config {
                http,
                ..Config::default()
            };
            assert!(config.validate().is_ok(), "{listen}");
            config.auth.mode = AuthMode::Off;
            let problems = config.validate().unwrap_err();
            assert_eq!(problems[0].setting, "auth.mode", "{listen}");
        }
        let mut config = Config::default();
        config.http.cors.origins = vec!["*".to_owned()];
        assert!(config.validate().is_ok());
        config.auth.mode = AuthMode::Off;
        let problems = config.validate().unwrap_err();
        assert_eq!(problems[0].setting, "http.cors.origins");
        for listen in ["127.0.0.1:0", "127.8.8.8:80", "[::1]:8097"] {
            let mut config = Config::default();
            config.http.listen = listen.parse().unwrap();
            config.auth.mode = AuthMode::Off;
            assert!(config.validate().is_ok(), "{listen}");
        }
    }
}
