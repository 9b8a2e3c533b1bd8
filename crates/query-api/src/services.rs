use std::{sync::Arc, time::Duration};

use event_store::{ScopedUser, Store, StoreError};
use service_runtime::clock::Clock;

use crate::{
    access::{Access, Caller},
    ask::{Asker, ClickHouse},
    cache::Cache,
    cells::Opener,
    config::Config,
    lanes::Lanes,
    redis::Redis,
};

/// What the routes need.
#[derive(Clone)]
pub(crate) struct Services {
    /// ClickHouse.
    pub(crate) clickhouse: ClickHouse,
    /// The user of ClickHouse that reads for callers that see some regions only.
    scoped_user: ScopedUser,
    /// The lanes in PostgreSQL.
    pub(crate) lanes: Lanes,
    /// PostgreSQL, for what is changed there.
    pub(crate) pool: metadata_store::Pool,
    /// Who is let in.
    pub(crate) access: Arc<Access>,
    /// Redis.
    pub(crate) redis: Arc<Redis>,
    /// Answers that are kept.
    pub(crate) cache: Arc<Cache>,
    /// What opens counts.
    pub(crate) opener: Opener,
    /// How long a body of a request may take to arrive.
    pub(crate) client_timeout: Duration,
    /// The present.
    pub(crate) clock: Arc<dyn Clock>,
}

/// Why the services could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The client of ClickHouse could not be made.
    #[error("the client of ClickHouse cannot be made: {0}")]
    Store(#[from] StoreError),
    /// The pool of connections to PostgreSQL could not be made.
    #[error("the pool of PostgreSQL cannot be made: {0}")]
    Pool(#[from] metadata_store::StoreError),
    /// The pool of connections to Redis could not be made.
    #[error("the pool of Redis cannot be made: {0}")]
    Redis(#[from] redis::RedisError),
    /// Tokens could not be verified.
    #[error("{0}")]
    Tokens(String),
}

impl Services {
    /// Makes the clients; they connect when they are first used.
    pub(crate) fn new(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let store = Store::connect(&config.clickhouse)?;
        let pool = metadata_store::Pool::new(&config.postgres)?;
        pool.observe();
        let events = &config.clickhouse;
        let databases = format!("{} {}", events.url, events.database);
        let redis = Arc::new(Redis::new(&config.redis, &databases)?);
        let cache = Cache::new(config, Arc::clone(&redis), pool.clone(), Arc::clone(&clock));
        let access = Access::new(config, Arc::clone(&redis), pool.clone(), Arc::clone(&clock))
            .map_err(|error| SetupError::Tokens(error.to_string()))?;
        Ok(Self {
            clickhouse: ClickHouse::new(store, config),
            scoped_user: config.scoped.clone(),
            lanes: Lanes::new(pool.clone(), config.http.lanes_deadline.get()),
            pool,
            access: Arc::new(access),
            redis,
            cache: Arc::new(cache),
            opener: Opener::new(&config.cells),
            client_timeout: config.http.client_timeout.get(),
            clock,
        })
    }

    /// ClickHouse, with what a caller may see.
    pub(crate) fn store_of(&self, caller: &Caller) -> Asker {
        self.clickhouse.within_scope(caller, &self.scoped_user)
    }

    /// Whether ClickHouse answers callers that see some regions only.
    pub(crate) async fn ping_scoped(&self) -> Result<(), StoreError> {
        self.clickhouse.ping_scoped(&self.scoped_user).await
    }
}
