//! Redis, as something that may be slow or gone at any time: then there quickly is nothing.

use std::{
    fmt::Display,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use deadpool_redis::{Connection, Manager, Pool, PoolError, Runtime, TimeoutType, Timeouts};
use redis::{AsyncConnectionConfig, RedisError, RedisResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::{
    config::{HumanDuration, Problem, Secret, Settings},
    telemetry::observe_pool,
};
use sha2::{Digest, Sha256};
use tokio::time::timeout;
use tracing::{debug, info, warn};

/// The Redis server that all replicas share.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RedisConfig {
    /// URL, `redis://user:password@host:port/database`, or `rediss` for TLS.
    pub url: Secret,
    /// Connections at most, per replica.
    #[schemars(range(min = 1, max = 256))]
    pub pool_size: u16,
    /// How long a connection is waited for, and how long an answer of Redis. Requests are answered without it after that.
    pub deadline: HumanDuration,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            url: Secret::from("redis://127.0.0.1:16379/0"),
            pool_size: 16,
            deadline: HumanDuration::millis(100),
        }
    }
}

impl Settings for RedisConfig {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::from_iter(Problem::too_short("deadline", self.deadline));
        if self.pool_size == 0 {
            problems.push(Problem::new("pool_size", "it must be at least 1"));
        }
        Problem::none_of(problems)
    }
}

/// After a failure Redis is left alone for so long: whoever asks meanwhile need not find out again.
const REST: Duration = Duration::from_secs(1);

/// Redis did not do it: it is gone, too slow, or has refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("redis has not done it")]
pub(crate) struct Undone;

/// Connections to Redis.
pub(crate) struct Redis {
    pool: Pool,
    /// What the names of all that is ours begin with: others may share the server.
    space: String,
    deadline: Duration,
    rests_until: Mutex<Option<Instant>>,
}

impl Redis {
    /// Makes the pool for the services over these databases; connects when first used.
    pub(crate) fn new(config: &RedisConfig, databases: &str) -> Result<Self, RedisError> {
        let deadline = config.deadline.get();
        let connections = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(deadline))
            .set_response_timeout(Some(deadline));
        let manager = Manager::new_with_config(config.url.expose(), connections)?;
        // the builder fails where timeouts are set without a runtime, and there is one
        let pool = Pool::builder(manager)
            .max_size(usize::from(config.pool_size))
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts {
                wait: Some(deadline),
                create: Some(deadline),
                recycle: Some(deadline),
            })
            .build()
            .map_err(|error| {
                RedisError::from((redis::ErrorKind::Client, "no pool", error.to_string()))
            })?;
        let shown = pool.clone();
        observe_pool("redis", move || shown.status());
        Ok(Self {
            pool,
            space: format!("openride:{}", hex::encode(Sha256::digest(databases))),
            deadline,
            rests_until: Mutex::default(),
        })
    }

    /// The name of something of ours.
    pub(crate) fn name(&self, what: &str, id: impl Display) -> String {
        format!("{}:{what}:{id}", self.space)
    }

    /// Does something with a connection, within the deadline.
    pub(crate) async fn ask<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, Undone> {
        if self.rests() {
            return Err(Undone);
        }
        let mut connection = match self.pool.get().await {
            Ok(connection) => connection,
            // it is we who ask for much at once
            Err(PoolError::Timeout(TimeoutType::Wait)) => return Err(Undone),
            Err(error) => return Err(self.went_away(&error.to_string())),
        };
        match timeout(self.deadline, work(&mut connection)).await {
            Ok(Ok(answer)) => {
                self.came_back();
                Ok(answer)
            }
            Ok(Err(error)) if is_of_the_wire(&error) => Err(self.went_away(&error.to_string())),
            Ok(Err(error)) => {
                debug!(%error, "redis has refused");
                Err(Undone)
            }
            Err(_) => Err(self.went_away("it took too long")),
        }
    }

    /// Whether it answers.
    pub(crate) async fn ping(&self) -> Result<(), Undone> {
        self.ask(async |connection| redis::cmd("PING").query_async(connection).await)
            .await
    }

    fn rests_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn rests(&self) -> bool {
        let until = *self.rests_until();
        until.is_some_and(|until| Instant::now() < until)
    }

    /// An outage is told once, and so is its end.
    fn went_away(&self, why: &str) -> Undone {
        let mut until = self.rests_until();
        if until.is_none() {
            warn!(
                why,
                "redis does not answer; requests are answered without it"
            );
        }
        *until = Some(Instant::now() + REST);
        Undone
    }

    fn came_back(&self) {
        let mut until = self.rests_until();
        if until.take().is_some() {
            info!("redis answers again");
        }
    }
}

/// Whether the connection is at fault; a server that refuses a command is there.
fn is_of_the_wire(error: &RedisError) -> bool {
    error.is_io_error() || error.is_timeout() || error.is_connection_dropped()
}
