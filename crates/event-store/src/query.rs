use std::time::Duration;

use bytes::Bytes;
use clickhouse::{RowOwned, RowRead};
use serde::Serialize;
use tokio::time::timeout;
use tracing::Span;

use crate::{
    error::{At, Operation, StoreError},
    observe::Told,
    params::Params,
    store::Store,
};

/// How long the client waits beyond the deadline that the server keeps by itself.
const GRACE: Duration = Duration::from_secs(1);
/// How long killing a query may take that has not kept its deadline.
const KILL: Duration = Duration::from_secs(2);

/// A statement on its way; made by [`Store::query`].
#[must_use = "nothing is sent before it is fetched or executed"]
#[derive(Clone)]
pub struct Query {
    store: Store,
    query: clickhouse::query::Query,
    id: String,
    span: Span,
    subject: Option<String>,
    deadline: Duration,
}

impl Query {
    pub(crate) fn new(
        store: Store,
        query: clickhouse::query::Query,
        id: String,
        span: Span,
    ) -> Self {
        Self {
            deadline: store.config().request_timeout.get(),
            store,
            query,
            id,
            span,
            subject: None,
        }
    }

    /// The value of a `{name:Type}` place.
    pub fn param(mut self, name: &str, value: impl Serialize) -> Self {
        self.query = self.query.param(name, value);
        self
    }

    /// The values of several places.
    pub fn params(mut self, params: &Params) -> Self {
        for (name, value) in params.pairs() {
            self.query = self.query.with_setting(name, value);
        }
        self
    }

    /// A setting for this statement alone.
    pub fn setting(mut self, name: &str, value: impl ToString) -> Self {
        self.query = self.query.with_setting(name, value.to_string());
        self
    }

    /// Bytes of memory that the server gives to this statement. One that needs more ends with an error that
    /// [says so](StoreError::is_over_its_memory).
    pub fn memory(self, bytes: u64) -> Self {
        self.setting("max_memory_usage", bytes)
    }

    /// The id by which the server knows the statement; by default a new UUID.
    pub fn query_id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// What errors, the server's query log, traces and metrics call it: one of a few names.
    pub fn named(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// How long it may take; by default the configured time. The server gives up by itself; should it not,
    /// the query is killed.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// All rows.
    ///
    /// # Errors
    /// If they do not all arrive in time, or do not fit `T`.
    pub async fn fetch_all<T: RowOwned + RowRead>(self) -> Result<Vec<T>, StoreError> {
        self.run(Operation::Select, clickhouse::query::Query::fetch_all)
            .await
    }

    /// The first row.
    ///
    /// # Errors
    /// If there is none, it does not arrive in time, or does not fit `T`.
    pub async fn fetch_one<T: RowOwned + RowRead>(self) -> Result<T, StoreError> {
        self.run(Operation::Select, clickhouse::query::Query::fetch_one)
            .await
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// If it does not arrive in time, or does not fit `T`.
    pub async fn fetch_optional<T: RowOwned + RowRead>(self) -> Result<Option<T>, StoreError> {
        self.run(Operation::Select, clickhouse::query::Query::fetch_optional)
            .await
    }

    /// The whole answer in one of ClickHouse's output formats.
    ///
    /// # Errors
    /// If it does not arrive whole and in time.
    pub async fn fetch_bytes(self, format: &str) -> Result<Bytes, StoreError> {
        let collect =
            async |query: clickhouse::query::Query| query.fetch_bytes(format)?.collect().await;
        self.run(Operation::Select, collect).await
    }

    /// Runs a statement that returns no rows.
    ///
    /// # Errors
    /// If the server does not say that it is done.
    pub async fn execute(self) -> Result<(), StoreError> {
        self.run(Operation::Execute, clickhouse::query::Query::execute)
            .await
    }

    async fn run<T>(
        self,
        operation: Operation,
        run: impl AsyncFnOnce(clickhouse::query::Query) -> clickhouse::error::Result<T>,
    ) -> Result<T, StoreError> {
        let Self {
            store,
            mut query,
            id,
            span,
            subject: name,
            deadline,
        } = self;
        let told = Told {
            operation,
            name: name.as_deref(),
            query_id: &id,
        };
        let subject = name.clone().unwrap_or_else(|| id.clone());
        query = query
            .with_setting("query_id", &id)
            .with_setting("log_comment", &subject)
            .with_setting("max_execution_time", deadline.as_secs_f64().to_string());
        if operation == Operation::Select {
            // A reader can change nothing, and a caller who goes away takes the query with him.
            query = query
                .with_setting("readonly", "2")
                .with_setting("cancel_http_readonly_queries_on_client_close", "1");
        }
        let at = At { operation, subject };
        let statement = async {
            match timeout(deadline + GRACE, run(query)).await {
                Ok(result) => result.map_err(|error| StoreError::of_client(at, deadline, error)),
                Err(_) => {
                    store.give_up(&id).await;
                    Err(StoreError::TimedOut {
                        at,
                        after: deadline,
                    })
                }
            }
        };
        told.run(store.duration(), span, statement).await
    }
}

impl Store {
    /// Ends a query that did not keep its deadline. Whether that works is not the caller's concern: he
    /// gets his timeout either way.
    async fn give_up(&self, id: &str) {
        let kill = self.kill_statement("KILL QUERY WHERE query_id = {id:String} ASYNC", id);
        match timeout(KILL, kill).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(query.id = id, %error, "an overdue query could not be killed")
            }
            Err(_) => tracing::warn!(
                query.id = id,
                "an overdue query could not be killed in time"
            ),
        }
    }

    async fn kill_statement(&self, sql: &str, id: &str) -> clickhouse::error::Result<()> {
        let query = self.with_database("system").query(sql).param("id", id);
        query.query.execute().await
    }
}
