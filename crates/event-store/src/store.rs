use std::{sync::Arc, time::Duration};

use clickhouse::Client;
use opentelemetry::metrics::Histogram;
use service_runtime::telemetry::trace_context;
use uuid::Uuid;

use crate::{
    config::Config,
    error::{At, Operation, StoreError},
    http::Http,
    observe,
    params::Params,
    query::Query,
};

/// The one client of ClickHouse. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Clone, Debug)]
struct Inner {
    config: Config,
    select: Client,
    http: Http,
    duration: Histogram<f64>,
}

impl Store {
    /// Makes the client. Connections are made when they are needed, so a service starts while
    /// ClickHouse is down and [`ping`](Self::ping) says so.
    ///
    /// # Errors
    /// If the TLS roots of the machine cannot be used.
    pub fn connect(config: &Config) -> Result<Self, StoreError> {
        let at = At {
            operation: Operation::Connect,
            subject: config.url.to_string(),
        };
        let http = Http::new(config).map_err(|source| StoreError::Request { at, source })?;
        let mut select = Client::default()
            .with_url(config.url.as_str())
            .with_database(&config.database)
            .with_user(&config.user)
            .with_compression(clickhouse::Compression::None)
            .with_product_info("openride-analytics", env!("CARGO_PKG_VERSION"));
        if !config.password.is_empty() {
            select = select.with_password(config.password.expose());
        }
        let config = config.clone();
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                select,
                http,
                duration: observe::duration(),
            }),
        })
    }

    /// The same server and connections, another database.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        let mut inner = Inner::clone(&self.inner);
        database.clone_into(&mut inner.config.database);
        inner.select = inner.select.with_database(database);
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The database that unqualified names in statements mean.
    pub fn database(&self) -> &str {
        &self.inner.config.database
    }

    /// How this client was configured.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// A statement to be given parameters and run. `?` has no meaning in it; its parameters are `{name:Type}`.
    /// Where a span is running now, it is a span of its own below that, and the server sees it as part of the trace.
    pub fn query(&self, sql: &str) -> Query {
        self.query_by(&self.inner.select, sql, Uuid::now_v7().to_string())
    }

    /// The same, sent by a client of another user.
    pub(crate) fn query_by(&self, client: &Client, sql: &str, id: String) -> Query {
        let span = observe::span(self.database());
        let trace = span.in_scope(trace_context::inject_current);
        let query = match trace.is_empty() {
            true => client.query_raw(sql),
            false => {
                let traced = |client: Client, (name, value)| client.with_header(name, value);
                trace
                    .into_iter()
                    .fold(client.clone(), traced)
                    .query_raw(sql)
            }
        };
        Query::new(self.clone(), query, id, span)
    }

    /// Runs a statement that returns no rows.
    ///
    /// # Errors
    /// If the server does not say that it is done.
    pub async fn execute(&self, sql: &str, params: &Params) -> Result<(), StoreError> {
        self.query(sql).params(params).execute().await
    }

    /// Whether the server answers a query of this user, within a few seconds.
    ///
    /// # Errors
    /// If it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let query = self.with_database("system").query("SELECT 1").named("ping");
        query.deadline(PING).fetch_one::<u8>().await.map(|_| ())
    }

    /// What selects.
    pub(crate) fn client(&self) -> &Client {
        &self.inner.select
    }

    pub(crate) fn http(&self) -> &Http {
        &self.inner.http
    }

    /// Times statements.
    pub(crate) fn duration(&self) -> &Histogram<f64> {
        &self.inner.duration
    }
}

/// Readiness probes ask every few seconds.
pub(crate) const PING: Duration = Duration::from_secs(3);
