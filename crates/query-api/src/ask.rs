//! Statements of the crate `analytics` on their way to ClickHouse.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use analytics::{Ask, Query, SETTINGS};
use event_store::{
    At, Operation, ScopedStore, ScopedUser, Store, StoreError,
    clickhouse::{RowOwned, RowRead},
};
use shared_schema::access::Scope;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout},
};

use crate::config::HttpConfig;

/// ClickHouse counts whole seconds in some of its limits, so less than one is one.
const SHORTEST: Duration = Duration::from_secs(1);

/// Sends statements, each within its deadline and its memory, and not too many at once.
#[derive(Clone)]
pub(crate) struct Asker {
    store: Store,
    /// What is read instead, for a caller who sees some regions only.
    scoped: Option<ScopedStore>,
    deadline: Duration,
    memory: u64,
    turns: Arc<Semaphore>,
}

impl Asker {
    pub(crate) fn new(store: Store, config: &HttpConfig) -> Self {
        Self {
            store,
            scoped: None,
            deadline: config.query_deadline.get().max(SHORTEST),
            memory: config.query_memory.as_u64(),
            turns: Arc::new(Semaphore::new(config.concurrent_queries.into())),
        }
    }

    /// The same for a caller of this scope, who is shown nothing else: ClickHouse sees to that.
    pub(crate) fn within(&self, scope: &Scope, user: &ScopedUser) -> Self {
        let scoped = match scope {
            Scope::Everywhere => None,
            Scope::Within(places) => Some(ScopedStore::new(&self.store, user, places)),
        };
        Self {
            scoped,
            ..self.clone()
        }
    }

    /// Whether ClickHouse answers.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    /// Whether ClickHouse answers those who see some regions only.
    pub(crate) async fn ping_scoped(&self, user: &ScopedUser) -> Result<(), StoreError> {
        ScopedStore::new(&self.store, user, &BTreeSet::new())
            .ping()
            .await
    }

    /// Waits for a turn; what is left of the deadline then is for the statement.
    async fn turn(&self, name: &str) -> Result<(SemaphorePermit<'_>, Duration), StoreError> {
        let began = Instant::now();
        let turn = timeout(self.deadline, self.turns.acquire()).await;
        match turn {
            Ok(Ok(turn)) => {
                let left = self.deadline.saturating_sub(began.elapsed());
                Ok((turn, left.max(SHORTEST)))
            }
            // it is never closed
            Err(_) | Ok(Err(_)) => Err(StoreError::TimedOut {
                at: At {
                    operation: Operation::Select,
                    subject: name.to_owned(),
                },
                after: self.deadline,
            }),
        }
    }

    fn prepared(&self, name: &str, query: &Query, deadline: Duration) -> event_store::Query {
        let statement = match &self.scoped {
            None => self.store.query(&query.sql),
            Some(scoped) => scoped.query(&query.sql),
        };
        let statement = statement.named(name).deadline(deadline).memory(self.memory);
        let settings = SETTINGS.into_iter();
        let statement = settings.fold(statement, |statement, (name, value)| {
            statement.setting(name, value)
        });
        let parameters = query.parameters.iter();
        parameters.fold(statement, |statement, (name, value)| {
            statement.param(name, value)
        })
    }
}

impl Ask for Asker {
    type Error = StoreError;

    async fn rows<T: RowOwned + RowRead + Send>(
        &self,
        name: &'static str,
        query: &Query,
    ) -> Result<Vec<T>, StoreError> {
        let (_turn, left) = self.turn(name).await?;
        self.prepared(name, query, left).fetch_all().await
    }

    async fn row<T: RowOwned + RowRead + Send>(
        &self,
        name: &'static str,
        query: &Query,
    ) -> Result<T, StoreError> {
        let (_turn, left) = self.turn(name).await?;
        self.prepared(name, query, left).fetch_one().await
    }
}
