use anyhow::{Context, bail};
use event_store::{
    Store,
    migrations::{self, Rendering, State},
};
use metadata_store::quiet;
use tracing::{info, warn};

use crate::Config;

/// What was missing and has been applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Versions of PostgreSQL's migrations.
    pub postgres: Vec<String>,
    /// Steps of ClickHouse's schema.
    pub clickhouse: Vec<String>,
}

/// Applies what is missing in both stores, while no batch is open.
///
/// # Errors
/// At the first migration that fails; those before it stay. Before the first one, if what is open is not closed in time.
pub async fn up(config: &Config) -> anyhow::Result<Applied> {
    if !is_something_missing(config).await? {
        return apply(config).await;
    }
    let mut quiet = quiet::take(&config.postgres, config.migration.patience.get())
        .await
        .context("nothing is migrated")?;
    tokio::select! {
        applied = apply(config) => applied,
        () = quiet.lost() => bail!(
            "the lock of migrations went with its connection to PostgreSQL, and members open batches again: migrate again"
        ),
    }
}

async fn is_something_missing(config: &Config) -> anyhow::Result<bool> {
    let postgres = metadata_store::pending_migrations(&unhurried(config).postgres).await;
    let postgres = postgres.context("PostgreSQL is not migrated, ClickHouse was not tried")?;
    let store = Store::connect(&config.clickhouse)?;
    let steps = migrations::status(&store, &rendering(config)).await;
    let steps = steps.context("ClickHouse is not migrated")?;
    let is_missing = |step: &migrations::Status| matches!(step.state, State::Pending);
    Ok(!postgres.is_empty() || steps.iter().any(is_missing))
}

async fn apply(config: &Config) -> anyhow::Result<Applied> {
    let config = &unhurried(config);
    let postgres = metadata_store::migrate(&config.postgres).await;
    let postgres = postgres.context("PostgreSQL is not migrated, ClickHouse was not tried")?;
    info!(applied = postgres.len(), "PostgreSQL is up to date");

    let store = Store::connect(&config.clickhouse)?;
    let report = migrations::apply(&store, &rendering(config)).await;
    let report = report.context("ClickHouse is not migrated")?;
    if !report.unknown.is_empty() {
        warn!(
            steps = report.unknown.join(","),
            "ClickHouse has steps that this version does not know"
        );
    }
    info!(
        applied = report.applied.len(),
        already = report.already,
        "ClickHouse is up to date"
    );
    Ok(Applied {
        postgres,
        clickhouse: report.applied,
    })
}

/// The same stores with the time that a migration needs.
fn unhurried(config: &Config) -> Config {
    let mut unhurried = config.clone();
    unhurried.postgres.statement_timeout = config.migration.postgres;
    unhurried.clickhouse.request_timeout = config.migration.clickhouse;
    unhurried
}

fn rendering(config: &Config) -> Rendering {
    Rendering::single(&config.clickhouse.database)
}
