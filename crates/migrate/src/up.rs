use anyhow::Context;
use event_store::{
    Store,
    migrations::{self, Rendering},
};
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

/// Applies what is missing in both stores.
///
/// # Errors
/// At the first migration that fails; those before it stay.
pub async fn up(config: &Config) -> anyhow::Result<Applied> {
    let postgres = metadata_store::migrate(&config.postgres).await;
    let postgres = postgres.context("PostgreSQL is not migrated, ClickHouse was not tried")?;
    info!(applied = postgres.len(), "PostgreSQL is up to date");

    let store = Store::connect(&config.clickhouse)?;
    let report = migrations::apply(&store, &Rendering::single(&config.clickhouse.database)).await;
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
