//! What the member depends on, and what it says of its health.

use crate::{
    board::Board,
    intake::Wanted,
    persist::persist_quietly,
    recover::{RecoverError, Recovery},
    write::{Targets, TargetsError},
};
use event_store::probe;
use metadata_store::{StoreError, clock, lanes, topics};
use service_runtime::health::{HealthState, Heartbeat};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How long the loop that polls Kafka may be silent: it waits for a batch when lanes are revoked, and for Kafka when a
/// gap is looked into.
const LIVE_WITHIN: Duration = Duration::from_secs(120);

/// How long a batch, or a take-over, may take before the member is said not to be ready: ClickHouse may answer and yet take
/// no rows, as with a full disk. An open batch that was left by another is finished within the take-over.
const DONE_WITHIN: Duration = Duration::from_secs(30);

/// Failures, a minute's, before it is an alarm that a store does not answer or is not migrated: it may be starting too.
const STARTING: u32 = 15;

/// What a member cannot begin without.
#[derive(Debug, thiserror::Error)]
enum MissingError {
    #[error(transparent)]
    Postgres(StoreError),
    #[error(transparent)]
    Clock(StoreError),
    #[error("PostgreSQL is not migrated")]
    NotMigrated(#[source] StoreError),
    #[error(transparent)]
    Targets(#[from] TargetsError),
    #[error(transparent)]
    Probe(#[from] probe::ProbeError),
}

/// Waits until both stores answer and fit, and the clock is right, and says what is missing meanwhile.
///
/// # Errors
/// When the process ends before.
pub(super) async fn await_dependencies(
    recovery: &Recovery,
    shutdown: &CancellationToken,
) -> Result<(), RecoverError> {
    persist_quietly(shutdown, STARTING, "begin", || check_dependencies(recovery)).await
}

async fn check_dependencies(recovery: &Recovery) -> Result<(), MissingError> {
    let (store, pool) = (recovery.writer.store(), &recovery.pool);
    pool.ping().await.map_err(MissingError::Postgres)?;
    let now = recovery.clock.now();
    clock::check(pool, now).await.map_err(MissingError::Clock)?;
    lanes::all(pool).await.map_err(MissingError::NotMigrated)?;
    topics::announce(pool, &recovery.sources)
        .await
        .map_err(MissingError::NotMigrated)?;
    Targets::discover(store).await?;
    probe::probe(store).await?;
    Ok(())
}

/// Whether the member is alive and takes part.
pub(super) fn health_state(
    recovery: &Recovery,
    board: &Arc<Board>,
    wanted: &Wanted,
    begun: &CancellationToken,
    heartbeat: &Heartbeat,
) -> HealthState {
    let (store, pool) = (recovery.writer.store().clone(), recovery.pool.clone());
    let begun = begun.clone();
    let (standing, writing, wanted) = (board.clone(), board.clone(), wanted.clone());
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
        .check("start", move || {
            let has_begun = begun.is_cancelled();
            async move {
                // a ClickHouse that answers and takes no rows lets nobody begin
                match has_begun {
                    true => Ok(()),
                    false => {
                        Err("waits until both stores are fit and the clock is right".to_owned())
                    }
                }
            }
        })
        .check("lanes", move || {
            let stopped = standing.stopped();
            async move {
                if stopped == 0 {
                    Ok(())
                } else {
                    Err(format!("{stopped} stand still"))
                }
            }
        })
        .check("batches", move || {
            let waited = writing.waits_for();
            async move { done_in_time("finished", waited) }
        })
        .check("take-overs", move || {
            let waited = wanted.waits_for();
            async move { done_in_time("done", waited) }
        })
        .build()
}

/// Whether the oldest of something is not overdue.
fn done_in_time(what: &str, waited: Duration) -> Result<(), String> {
    if waited <= DONE_WITHIN {
        Ok(())
    } else {
        Err(format!("one cannot be {what} since {} s", waited.as_secs()))
    }
}
