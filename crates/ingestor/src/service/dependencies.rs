//! What the member depends on, and what it says of its health.

use crate::{board::Board, write::Targets};
use anyhow::{Context, anyhow};
use event_store::{Store, probe};
use metadata_store::{Pool, lanes};
use service_runtime::health::{HealthState, Heartbeat};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How long the loop that polls Kafka may be silent: it waits for a batch when lanes are revoked, and for Kafka when a
/// gap is looked into.
const LIVE_WITHIN: Duration = Duration::from_secs(120);

/// Waits until both stores answer and fit, and says what is missing meanwhile.
pub(super) async fn await_dependencies(
    store: &Store,
    pool: &Pool,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    loop {
        match check_dependencies(store, pool).await {
            Ok(()) => return Ok(()),
            Err(error) => warn!(reason = format!("{error:#}"), "waiting for the stores"),
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = shutdown.cancelled() => return Err(anyhow!("ended while waiting for the stores")),
        }
    }
}

async fn check_dependencies(store: &Store, pool: &Pool) -> anyhow::Result<()> {
    pool.ping().await?;
    lanes::all(pool)
        .await
        .context("PostgreSQL is not migrated")?;
    Targets::discover(store).await?;
    probe::probe(store).await?;
    Ok(())
}

/// Whether the member is alive and takes part.
pub(super) fn health_state(
    store: &Store,
    pool: &Pool,
    board: &Arc<Board>,
    heartbeat: &Heartbeat,
) -> HealthState {
    let (store, pool, board) = (store.clone(), pool.clone(), board.clone());
    HealthState::builder(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .watch("intake", heartbeat, LIVE_WITHIN)
        .check("clickhouse", move || {
            let store = store.clone();
            async move { store.ping().await.map_err(|_| "no answer".to_owned()) }
        })
        .check("postgres", move || {
            let pool = pool.clone();
            async move { pool.ping().await.map_err(|_| "no answer".to_owned()) }
        })
        .check("lanes", move || {
            let stopped = board.stopped();
            async move {
                if stopped == 0 {
                    Ok(())
                } else {
                    Err(format!("{stopped} stand still"))
                }
            }
        })
        .build()
}
