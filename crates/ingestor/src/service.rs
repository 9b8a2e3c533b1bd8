//! Starts the parts of the ingestor and ends them in order.

use crate::{
    board::Board,
    config::Config,
    dead_letters::DeadLetterTopic,
    intake::{Intake, TakeOver},
    judge::Encoder,
    meters::Meters,
    pipeline::Pipeline,
    progress,
    recover::{RecoverError, Recovery},
    settle::Settler,
    write::{Targets, Writer},
};
use anyhow::{Context, anyhow};
use event_store::{Store, probe};
use metadata_store::{Pool, lanes};
use service_runtime::{
    clock::{Clock, SystemClock},
    health::{self, HealthState, Heartbeat},
    telemetry,
};
use shared_schema::Subscriptions;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

/// How long the loop that polls Kafka may be silent: it waits for a batch when lanes are revoked, and for Kafka when a
/// gap is looked into.
const LIVE_WITHIN: Duration = Duration::from_secs(120);
/// How long a shutdown may take. What is open then is recovered by the next member.
const DRAIN: Duration = Duration::from_secs(25);

/// Runs a member of the group until shutdown.
///
/// # Errors
/// When it cannot start, or the Kafka client is beyond repair.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let sources = Arc::new(Subscriptions::new(&config.topics)?);
    let store = Store::connect(&config.clickhouse)?;
    let pool = Pool::new(&config.postgres)?;
    let board = Arc::new(Board::default());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let heartbeat = Heartbeat::new();
    let health = health_state(&store, &pool, &board, &heartbeat);
    let admin_stop = CancellationToken::new();
    let admin = tokio::spawn(health::bind(config.admin.listen, &health)?.run(admin_stop.clone()));

    let owner = format!("{}-{}", hostname(), Uuid::now_v7().simple());
    await_dependencies(&store, &pool, &shutdown).await?;
    let recovery = Recovery {
        writer: Writer::new(store, &mut Encoder::default()),
        dead_letters: DeadLetterTopic::new(&config.kafka)?,
        kafka: config.kafka.clone(),
        sources,
        clock: clock.clone(),
        meters: Meters::new(&telemetry::meter(), &board),
        // what is being written when the shutdown comes may still be finished
        shutdown: CancellationToken::new(),
        pool: pool.clone(),
    };
    let until_shutdown = Recovery {
        shutdown: shutdown.clone(),
        ..recovery.clone()
    };
    let runtime = tokio::runtime::Handle::current();
    let takeover = TakeOver::new(until_shutdown, owner.clone(), runtime);
    let (batches, incoming) = mpsc::channel(1);
    let intake = Intake::join(&config, takeover, board.clone(), batches, heartbeat)?;
    let consumer = intake.consumer();
    let (durable, commits) = mpsc::unbounded_channel();
    let tidying = tokio::spawn(progress::tidy(pool.clone(), clock.clone()));
    let reporting = tokio::spawn(progress::report(
        consumer.clone(),
        board.clone(),
        pool.clone(),
        clock,
    ));
    let committing = tokio::spawn(progress::commit(consumer.clone(), commits));
    let settling = tokio::spawn(
        settler(&config, &recovery, &owner).run(config.settle.interval.get(), shutdown.clone()),
    );
    info!(owner, "joined the group");

    let reading = tokio::task::spawn_blocking(move || intake.run());
    let give_up = recovery.shutdown.clone();
    let pipeline = tokio::spawn(
        Pipeline::new(recovery, board.clone(), &config, owner.clone(), durable).run(incoming),
    );
    let read = reading.await.context("the thread that polls Kafka")?;
    health.start_draining();
    info!("draining");
    drain(pipeline, give_up).await?;
    settling.await.ok();
    committing.await.ok();
    reporting.abort();
    tidying.abort();
    if let Err(error) = lanes::release(&pool, &owner, &board.lanes()).await {
        warn!(%error, "PostgreSQL was not told that the lanes are free");
    }
    // leaves the group, which may block
    tokio::task::spawn_blocking(move || drop(consumer))
        .await
        .ok();
    admin_stop.cancel();
    admin.await.context("the admin listener")??;
    read.map_err(|error| anyhow!("the Kafka client cannot go on: {error}"))
}

fn settler(config: &Config, recovery: &Recovery, owner: &str) -> Settler {
    Settler {
        store: recovery.writer.store().clone(),
        pool: recovery.pool.clone(),
        clock: recovery.clock.clone(),
        owner: owner.to_owned(),
        patience: config.settle.patience.get(),
        settled: recovery.meters.settled.clone(),
    }
}

/// Waits for the pipeline to close its last batch.
async fn drain(
    mut pipeline: tokio::task::JoinHandle<Result<(), RecoverError>>,
    give_up: CancellationToken,
) -> anyhow::Result<()> {
    let ended = match tokio::time::timeout(DRAIN, &mut pipeline).await {
        Ok(ended) => ended,
        Err(_) => {
            warn!("the open batch cannot be finished in time; the next member recovers it");
            give_up.cancel();
            pipeline.await
        }
    };
    match ended.context("the pipeline")? {
        Ok(()) | Err(RecoverError::ShuttingDown) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Waits until both stores answer and fit, and says what is missing meanwhile.
async fn await_dependencies(
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

fn health_state(
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

fn hostname() -> String {
    std::env::var("HOSTNAME").unwrap_or_else(|_| "ingestor".to_owned())
}
