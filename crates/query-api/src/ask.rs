//! Statements of the crate `analytics` on their way to ClickHouse.

use std::time::Duration;

use analytics::{Ask, Query, SETTINGS};
use event_store::{
    Store, StoreError,
    clickhouse::{RowOwned, RowRead},
};

/// Sends statements, each with a deadline.
#[derive(Clone)]
pub(crate) struct Asker {
    store: Store,
    deadline: Duration,
}

impl Asker {
    pub(crate) fn new(store: Store, deadline: Duration) -> Self {
        Self { store, deadline }
    }

    /// Whether ClickHouse answers.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    fn prepared(&self, name: &str, query: &Query) -> event_store::Query {
        let statement = self
            .store
            .query(&query.sql)
            .named(name)
            .deadline(self.deadline);
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
