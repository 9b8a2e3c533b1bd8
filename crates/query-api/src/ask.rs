//! Statements of the crate `analytics` on their way to ClickHouse.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use analytics::{Ask, Query, SETTINGS};
use event_store::{
    ScopedStore, ScopedUser, Store, StoreError,
    clickhouse::{RowOwned, RowRead},
};
use shared_schema::access::Scope;

use crate::{
    access::{AuthMode, Caller},
    config::Config,
    error::ApiError,
    turns::{Queue, Turns},
};

/// ClickHouse counts whole seconds in some of its limits, so less than one is one.
const SHORTEST: Duration = Duration::from_secs(1);

/// How ClickHouse is asked: each statement within its deadline and its memory, and not too many at once.
#[derive(Clone)]
pub(crate) struct ClickHouse {
    store: Store,
    deadline: Duration,
    memory: u64,
    turns: Arc<Turns>,
}

impl ClickHouse {
    pub(crate) fn new(store: Store, config: &Config) -> Self {
        let (config, mode) = (&config.http, config.auth.mode);
        let all = config.concurrent_queries.into();
        let each = match mode {
            AuthMode::Required => usize::div_ceil(all, 2),
            // who asks is not told apart
            AuthMode::Off => all,
        };
        let turns = Turns::new(all, each, config.query_deadline.get() / 2);
        Self {
            store,
            deadline: config.query_deadline.get().max(SHORTEST),
            memory: config.query_memory.as_u64(),
            turns: Arc::new(turns),
        }
    }

    /// Whether it answers.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    /// Whether it answers those who see some regions only.
    pub(crate) async fn ping_scoped(&self, user: &ScopedUser) -> Result<(), StoreError> {
        ScopedStore::new(&self.store, user, &BTreeSet::new())
            .ping()
            .await
    }

    /// For a caller, with all that is there.
    pub(crate) fn whole(&self, caller: &Caller) -> Asker {
        Asker {
            clickhouse: self.clone(),
            scoped: None,
            queue: self.turns.of(&caller.name),
        }
    }

    /// For a caller, who is shown nothing but its regions: ClickHouse sees to that.
    pub(crate) fn within_scope(&self, caller: &Caller, user: &ScopedUser) -> Asker {
        let scoped = match &caller.scope {
            Scope::Everywhere => None,
            Scope::Within(places) => Some(ScopedStore::new(&self.store, user, places)),
        };
        Asker {
            scoped,
            ..self.whole(caller)
        }
    }
}

/// Sends the statements of a caller.
pub(crate) struct Asker {
    clickhouse: ClickHouse,
    /// What is read instead, for a caller who sees some regions only.
    scoped: Option<ScopedStore>,
    queue: Queue,
}

impl Asker {
    fn prepared(&self, name: &str, query: &Query) -> event_store::Query {
        let ClickHouse {
            store,
            deadline,
            memory,
            ..
        } = &self.clickhouse;
        let statement = match &self.scoped {
            None => store.query(&query.sql),
            Some(scoped) => scoped.query(&query.sql),
        };
        let statement = statement.named(name).deadline(*deadline).memory(*memory);
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
    type Error = ApiError;

    async fn rows<T: RowOwned + RowRead + Send>(
        &self,
        name: &'static str,
        query: &Query,
    ) -> Result<Vec<T>, ApiError> {
        let _turn = self.queue.turn().await?;
        Ok(self.prepared(name, query).fetch_all().await?)
    }

    async fn row<T: RowOwned + RowRead + Send>(
        &self,
        name: &'static str,
        query: &Query,
    ) -> Result<T, ApiError> {
        let _turn = self.queue.turn().await?;
        Ok(self.prepared(name, query).fetch_one().await?)
    }
}
