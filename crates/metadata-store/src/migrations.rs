//! PostgreSQL's own migrations. The schema of this version is in the program.

use crate::{Config, Pool, StoreError, locks, pool::Connection};
use diesel_async::{AsyncMigrationHarness, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Applies the migrations that are missing and returns their versions. `statement_timeout` bounds the whole of it, and
/// the waiting for another process that does the same.
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

/// Two migrators at once would both see a migration missing; the lock lets the second wait and find it done. It is
/// held while PostgreSQL is asked or changed, not while a migration waits for open batches: see [`crate::quiet`].
///
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
    diesel::sql_query(format!("SELECT pg_advisory_lock({})", locks::MIGRATING))
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
