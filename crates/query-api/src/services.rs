use std::{sync::Arc, time::Duration};

use event_store::Store;
use service_runtime::clock::Clock;

use crate::{
    ask::Asker,
    config::{Config, HttpConfig},
    lanes::Lanes,
};

/// What the routes need.
#[derive(Clone)]
pub(crate) struct Services {
    /// ClickHouse.
    pub(crate) store: Asker,
    /// The lanes in PostgreSQL.
    pub(crate) lanes: Lanes,
    /// The present.
    pub(crate) clock: Arc<dyn Clock>,
}

/// Why the services could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The client of ClickHouse could not be made.
    #[error("the client of ClickHouse cannot be made: {0}")]
    Store(#[from] event_store::StoreError),
    /// The pool of connections to PostgreSQL could not be made.
    #[error("the pool of PostgreSQL cannot be made: {0}")]
    Pool(#[from] metadata_store::StoreError),
}

impl Services {
    /// Makes the clients; they connect when they are first used.
    pub(crate) fn new(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let HttpConfig {
            query_deadline,
            lanes_deadline,
            ..
        } = &config.http;
        let store = Store::connect(&config.clickhouse)?;
        let pool = metadata_store::Pool::new(&config.postgres)?;
        Ok(Self {
            store: Asker::new(store, deadline(query_deadline.get())),
            lanes: Lanes::new(pool, lanes_deadline.get()),
            clock,
        })
    }
}

/// ClickHouse counts whole seconds in some of its limits, so less than one is one.
fn deadline(configured: Duration) -> Duration {
    configured.max(Duration::from_secs(1))
}
