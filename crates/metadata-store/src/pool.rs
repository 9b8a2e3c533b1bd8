//! Connections, and the bound on what is done with them.
//!
//! `statement_timeout` is kept by the server. A server that hangs, or a network that swallows, keeps nothing; so
//! whoever has a [`Connection`] loses it [`GRACE`] after that time, and what waits on it ends with an error. It is the
//! connection that ends and not the call, so no operation can forget it, and none goes on behind the caller's back.
//!
//! A process that is halted gives nothing up. What it has locked in a transaction, the server frees after the same time:
//! the others would wait for it without end, since opening any batch takes a look at what a settler locks.

use crate::{Config, StoreError, session::Session};
use deadpool::managed::{Manager, Metrics, Object, RecycleError, RecycleResult};
use diesel_async::{
    AsyncPgConnection, RunQueryDsl,
    pooled_connection::{PoolError, PoolableConnection},
};
use service_runtime::telemetry::observe_pool;
use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};
use tokio::task::JoinHandle;
use tracing::warn;

/// How much longer than one statement an operation may take, all of its statements and the network included.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// A bounded pool of connections.
#[derive(Clone)]
pub struct Pool {
    inner: deadpool::managed::Pool<Sessions>,
    connect_timeout: Duration,
    limit: Duration,
}

impl Pool {
    /// Makes the pool; connects when first used.
    pub fn new(config: &Config) -> Result<Self, StoreError> {
        let sessions = Sessions {
            url: config.url.expose().to_owned(),
            statement_timeout: config.statement_timeout.get(),
        };
        let inner = deadpool::managed::Pool::builder(sessions)
            .max_size(usize::from(config.pool_size))
            .build()
            .map_err(|source| StoreError::Connect {
                operation: "make a pool",
                source: source.into(),
            })?;
        Ok(Self {
            inner,
            connect_timeout: config.connect_timeout.get(),
            limit: config.statement_timeout.get() + GRACE,
        })
    }

    /// Shows at `/metrics` how the pool is used. To be called once in a process.
    pub fn observe(&self) {
        let pool = self.inner.clone();
        observe_pool("postgres", move || pool.status());
    }

    /// A connection that has just answered, for one operation.
    pub(crate) async fn get(&self, operation: &'static str) -> Result<Connection, StoreError> {
        // deadpool's own timeouts need a runtime feature, and this one covers the waiting for a free connection too
        let session = connected(operation, self.connect_timeout, self.inner.get()).await?;
        let watch = Watch::over(&session, operation, self.limit);
        Ok(Connection { session, watch })
    }

    /// Asks the server for an answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.get("ping").await.map(drop)
    }
}

/// What is connected within the limit.
pub(crate) async fn connected<T, E>(
    operation: &'static str,
    limit: Duration,
    connecting: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let failed = |source| StoreError::Connect { operation, source };
    match tokio::time::timeout(limit, connecting).await {
        Ok(connected) => connected.map_err(|error| failed(error.into())),
        Err(elapsed) => Err(failed(elapsed.into())),
    }
}

/// A connection for one operation, which is closed when that takes too long.
pub(crate) struct Connection {
    session: Object<Sessions>,
    watch: Watch,
}

impl Connection {
    /// Takes the session out of the pool, and its bound away: it lives as long as the caller keeps it.
    pub(crate) fn take(self) -> Session {
        drop(self.watch);
        Object::take(self.session)
    }
}

impl Deref for Connection {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        &self.session
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        &mut self.session
    }
}

/// Cuts a session's wire after a time, unless it is dropped before.
struct Watch(JoinHandle<()>);

impl Watch {
    fn over(session: &Session, operation: &'static str, limit: Duration) -> Self {
        let wire = session.wire();
        Self(tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            warn!(
                operation,
                limit_ms, "PostgreSQL has not answered in time; the connection is given up"
            );
            wire.abort();
        }))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Makes the pool's sessions, and sees whether they can be used again.
struct Sessions {
    url: String,
    statement_timeout: Duration,
}

impl Sessions {
    /// It needs an answer, so it shows that the server is there.
    async fn limit(&self, session: &mut Session) -> Result<(), PoolError> {
        let limit = self.statement_timeout.as_millis();
        let idle = (self.statement_timeout + GRACE).as_millis();
        let set = format!(
            "SELECT set_config('statement_timeout', '{limit}', false), \
             set_config('idle_in_transaction_session_timeout', '{idle}', false)"
        );
        diesel::sql_query(set)
            .execute(session)
            .await
            .map(drop)
            .map_err(PoolError::QueryError)
    }
}

impl Manager for Sessions {
    type Type = Session;
    type Error = PoolError;

    async fn create(&self) -> Result<Session, PoolError> {
        let mut session = Session::connect(&self.url)
            .await
            .map_err(PoolError::ConnectionError)?;
        self.limit(&mut session).await?;
        Ok(session)
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<PoolError> {
        if session.is_broken() {
            return Err(RecycleError::message("the connection is broken"));
        }
        Ok(self.limit(session).await?)
    }
}
