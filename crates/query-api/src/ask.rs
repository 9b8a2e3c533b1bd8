//! Statements of the crate `analytics` on their way to ClickHouse.

use std::{collections::BTreeSet, time::Duration};

use analytics::{Ask, Query, SETTINGS};
use event_store::{
    ScopedStore, ScopedUser, Store, StoreError,
    clickhouse::{RowOwned, RowRead},
};
use shared_schema::access::Scope;

/// Sends statements, each with a deadline.
#[derive(Clone)]
pub(crate) struct Asker {
    store: Store,
    /// What is read instead, for a caller who sees some regions only.
    scoped: Option<ScopedStore>,
    deadline: Duration,
}

impl Asker {
    pub(crate) fn new(store: Store, deadline: Duration) -> Self {
        Self {
            store,
            scoped: None,
            deadline,
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

    fn prepared(&self, name: &str, query: &Query) -> event_store::Query {
        let statement = match &self.scoped {
            None => self.store.query(&query.sql),
            Some(scoped) => scoped.query(&query.sql),
        };
        let statement = statement.named(name).deadline(self.deadline);
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
        self.prepared(name, query).fetch_all().await
    }

    async fn row<T: RowOwned + RowRead + Send>(
        &self,
        name: &'static str,
        query: &Query,
    ) -> Result<T, StoreError> {
        self.prepared(name, query).fetch_one().await
    }
}
