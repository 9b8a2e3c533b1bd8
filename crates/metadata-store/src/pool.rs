use crate::{Config, StoreError};
use diesel_async::{
    AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl,
    pooled_connection::{AsyncDieselConnectionManager, deadpool},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Two migrators at once would both see a migration missing; the lock lets the second wait and find it done.
const MIGRATION_LOCK: i64 = 0x6f70_656e_7269_6465;

/// A bounded pool of connections.
#[derive(Clone)]
pub struct Pool {
    inner: deadpool::Pool<AsyncPgConnection>,
    statement_timeout_ms: u128,
    connect_timeout: std::time::Duration,
}

pub(crate) type Connection = deadpool::Object<AsyncPgConnection>;

impl Pool {
    /// Makes the pool; connects when first used.
    pub fn new(config: &Config) -> Result<Self, StoreError> {
        let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new(config.url.expose());
        let inner = deadpool::Pool::builder(manager)
            .max_size(usize::from(config.pool_size))
            .build()
            .map_err(|source| StoreError::Connect {
                operation: "make a pool",
                source: source.into(),
            })?;
        Ok(Self {
            inner,
            statement_timeout_ms: config.statement_timeout.as_millis(),
            connect_timeout: config.connect_timeout.get(),
        })
    }

    pub(crate) async fn get(&self, operation: &'static str) -> Result<Connection, StoreError> {
        // deadpool's own timeouts need a runtime feature that the pool of diesel-async does not set
        let mut connection = tokio::time::timeout(self.connect_timeout, self.inner.get())
            .await
            .map_err(|elapsed| StoreError::Connect {
                operation,
                source: elapsed.into(),
            })?
            .map_err(|source| StoreError::Connect {
                operation,
                source: source.into(),
            })?;
        diesel::sql_query(format!(
            "SET statement_timeout = {}",
            self.statement_timeout_ms
        ))
        .execute(&mut connection)
        .await
        .map_err(|source| StoreError::Query { operation, source })?;
        Ok(connection)
    }

    /// Asks the server for an answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.get("ping").await.map(drop)
    }
}

/// Applies the migrations that are missing and returns their versions.
pub async fn migrate(config: &Config) -> Result<Vec<String>, StoreError> {
    with_harness(config, |harness| {
        let applied = harness.run_pending_migrations(MIGRATIONS)?;
        Ok(applied.iter().map(ToString::to_string).collect())
    })
    .await
}

/// The migrations that have not been applied.
pub async fn pending_migrations(config: &Config) -> Result<Vec<String>, StoreError> {
    with_harness(config, |harness| {
        let pending = harness.pending_migrations(MIGRATIONS)?;
        Ok(pending
            .iter()
            .map(|migration| migration.name().to_string())
            .collect())
    })
    .await
}

type MigrationResult = diesel::migration::Result<Vec<String>>;

/// The harness blocks, so it runs beside the runtime's workers.
async fn with_harness(
    config: &Config,
    work: impl FnOnce(&mut AsyncMigrationHarness<Connection>) -> MigrationResult + Send + 'static,
) -> Result<Vec<String>, StoreError> {
    let pool = Pool::new(config)?;
    let mut connection = pool.get("migrate").await?;
    let refused = |source| StoreError::Query {
        operation: "take the migration lock",
        source,
    };
    diesel::sql_query(format!("SELECT pg_advisory_lock({MIGRATION_LOCK})"))
        .execute(&mut connection)
        .await
        .map_err(refused)?;
    let done =
        tokio::task::spawn_blocking(move || work(&mut AsyncMigrationHarness::new(connection)))
            .await
            .map_err(|panic| StoreError::Migrate(panic.to_string()))?;
    // the lock goes with the connection, and the pool goes here
    done.map_err(|error| StoreError::Migrate(error.to_string()))
}
