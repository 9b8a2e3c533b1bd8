use std::fmt;

use anyhow::Context;
use event_store::{
    Store,
    migrations::{self, Rendering, State},
};

use crate::Config;

/// Where the migrations of both stores stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// PostgreSQL's migrations that have not been applied.
    pub postgres_pending: Vec<String>,
    /// All steps of ClickHouse's schema.
    pub clickhouse: Vec<migrations::Status>,
}

/// Asks both stores where their migrations stand, and changes nothing.
///
/// # Errors
/// If a store does not answer.
pub async fn status(config: &Config) -> anyhow::Result<Status> {
    let pending = metadata_store::pending_migrations(&config.postgres).await;
    let store = Store::connect(&config.clickhouse)?;
    let steps = migrations::status(&store, &Rendering::single(&config.clickhouse.database)).await;
    Ok(Status {
        postgres_pending: pending.context("PostgreSQL does not tell its migrations")?,
        clickhouse: steps.context("ClickHouse does not tell its migrations")?,
    })
}

impl Status {
    /// Whether this version of the services can work with both stores. Steps of a newer version do not
    /// stand in the way.
    pub fn is_up_to_date(&self) -> bool {
        let done = |state: State| matches!(state, State::Applied(_) | State::Unknown(_));
        self.postgres_pending.is_empty() && self.clickhouse.iter().all(|step| done(step.state))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.postgres_pending.is_empty() {
            writeln!(f, "postgres    all migrations: applied")?;
        }
        for migration in &self.postgres_pending {
            writeln!(f, "postgres    {migration}: pending")?;
        }
        for migrations::Status { step, state } in &self.clickhouse {
            writeln!(f, "clickhouse  {step}: {state}")?;
        }
        Ok(())
    }
}
