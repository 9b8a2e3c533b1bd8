//! Statements of the crate `analytics` on their way to ClickHouse.

use std::time::Duration;

use analytics::Query;
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

    /// All rows of a statement. The name is for errors and the server's query log.
    pub(crate) async fn rows<T: RowOwned + RowRead>(
        &self,
        name: &str,
        query: &Query,
    ) -> Result<Vec<T>, StoreError> {
        self.prepared(name, query).fetch_all().await
    }

    /// The rows of a statement that is only sometimes needed.
    pub(crate) async fn rows_if<T: RowOwned + RowRead>(
        &self,
        name: &str,
        query: Option<Query>,
    ) -> Result<Vec<T>, StoreError> {
        match query {
            Some(query) => self.rows(name, &query).await,
            None => Ok(Vec::new()),
        }
    }

    /// The one row of a statement.
    pub(crate) async fn row<T: RowOwned + RowRead>(
        &self,
        name: &str,
        query: &Query,
    ) -> Result<T, StoreError> {
        self.prepared(name, query).fetch_one().await
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
        let parameters = query.parameters.iter();
        parameters.fold(statement, |statement, (name, value)| {
            statement.param(name, value)
        })
    }
}
