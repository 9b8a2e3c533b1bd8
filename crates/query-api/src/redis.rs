//! Redis, as something that may be slow or gone at any time: then there quickly is nothing.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use deadpool_redis::{Connection, Manager, Pool};
use redis::{AsyncConnectionConfig, RedisError, RedisResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::config::{HumanDuration, Problem, Secret, Settings};
use tokio::time::timeout;
use tracing::{info, warn};

/// The Redis server that all replicas share.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RedisConfig {
    /// URL, `redis://user:password@host:port/database`, or `rediss` for TLS.
    pub url: Secret,
    /// Connections at most, per replica.
    #[schemars(range(min = 1, max = 256))]
    pub pool_size: u16,
    /// How long Redis is waited for in one go, connecting included. Requests are answered without it after that.
    pub deadline: HumanDuration,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            url: Secret::from("redis://127.0.0.1:16379/0"),
            pool_size: 8,
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

/// Redis is not there, or too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("redis does not answer")]
pub(crate) struct Away;

/// Connections to Redis.
pub(crate) struct Redis {
    pool: Pool,
    deadline: Duration,
    rests_until: Mutex<Option<Instant>>,
}

impl Redis {
    /// Makes the pool; connects when first used.
    pub(crate) fn new(config: &RedisConfig) -> Result<Self, RedisError> {
        let deadline = config.deadline.get();
        let connections = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(deadline))
            .set_response_timeout(Some(deadline));
        let manager = Manager::new_with_config(config.url.expose(), connections)?;
        // the builder fails where timeouts are set without a runtime, and none are
        let pool = Pool::builder(manager)
            .max_size(usize::from(config.pool_size))
            .build()
            .map_err(|error| {
                RedisError::from((redis::ErrorKind::Client, "no pool", error.to_string()))
            })?;
        Ok(Self {
            pool,
            deadline,
            rests_until: Mutex::default(),
        })
    }

    /// Does something with a connection within the deadline.
    pub(crate) async fn ask<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, Away> {
        if self.is_resting() {
            return Err(Away);
        }
        let asked = timeout(self.deadline, async {
            let mut connection = self.pool.get().await.map_err(|error| error.to_string())?;
            work(&mut connection)
                .await
                .map_err(|error| error.to_string())
        });
        match asked.await {
            Ok(Ok(answer)) => {
                self.is_back();
                Ok(answer)
            }
            Ok(Err(why)) => Err(self.is_away(&why)),
            Err(_) => Err(self.is_away("it took too long")),
        }
    }

    fn is_resting(&self) -> bool {
        let until = *self
            .rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// An outage is told once, and so is its end.
    fn is_away(&self, why: &str) -> Away {
        let mut until = self
            .rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if until.is_none() {
            warn!(
                why,
                "redis does not answer; requests are answered without it"
            );
        }
        *until = Some(Instant::now() + REST);
        Away
    }

    fn is_back(&self) {
        let mut until = self
            .rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if until.take().is_some() {
            info!("redis answers again");
        }
    }
}
