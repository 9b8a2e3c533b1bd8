//! Starts the parts of the ingestor and ends them in order.

use crate::{
    board::Board,
    config::Config,
    dead_letters::DeadLetterTopic,
    handover::{Giving, handover},
    intake::{Group, Intake, TakeOver},
    judge::Encoder,
    meters::{Meters, observe_oldest},
    open_batches::{self, OldestOpen},
    pipeline::Pipeline,
    progress,
    recover::{RecoverError, Recovery},
    settle::Settler,
    write::{Targets, Writer},
};
use anyhow::{Context, anyhow};
use event_store::{Store, probe};
use metadata_store::{LaneId, Pool, lanes};
use rdkafka::consumer::BaseConsumer;
use service_runtime::{
    clock::SystemClock,
    health::{self, HealthState, Heartbeat},
    telemetry,
};
use shared_schema::Subscriptions;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
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
    let board = Arc::new(Board::default());
    let recovery = recovery(&config, &board)?;
    let heartbeat = Heartbeat::new();
    let health = health_state(recovery.writer.store(), &recovery.pool, &board, &heartbeat);
    let admin_stop = CancellationToken::new();
    let admin = health::bind(config.admin.listen, &health)?.run(admin_stop.clone());
    let admin = tokio::spawn(admin);
    let member = Member {
        owner: format!("{}-{}", hostname(), Uuid::now_v7().simple()),
        config,
        board,
        recovery,
        health,
    };
    let lived = member.live(heartbeat, shutdown).await;
    admin_stop.cancel();
    let served = admin.await.context("the admin listener");
    lived?;
    Ok(served??)
}

/// What finishes batches. Its shutdown is not that of the process: what is being written when that comes may still be
/// finished.
pub(crate) fn recovery(config: &Config, board: &Arc<Board>) -> anyhow::Result<Recovery> {
    Ok(Recovery {
        writer: Writer::new(Store::connect(&config.clickhouse)?, &mut Encoder::default()),
        dead_letters: DeadLetterTopic::new(&config.kafka)?,
        kafka: config.kafka.clone(),
        sources: Arc::new(Subscriptions::new(&config.topics)?),
        clock: Arc::new(SystemClock),
        meters: Meters::new(&telemetry::meter(), board),
        shutdown: CancellationToken::new(),
        pool: Pool::new(&config.postgres)?,
    })
}

/// A member of the group.
struct Member {
    config: Config,
    owner: String,
    board: Arc<Board>,
    recovery: Recovery,
    health: HealthState,
}

impl Member {
    /// Takes part in the group until shutdown. Nothing that it has started goes on afterwards.
    async fn live(self, heartbeat: Heartbeat, shutdown: CancellationToken) -> anyhow::Result<()> {
        await_dependencies(self.recovery.writer.store(), &self.recovery.pool, &shutdown).await?;
        // without the pipeline, there is nothing to read for
        let reading_stop = shutdown.child_token();
        let (batches, incoming) = handover();
        let intake = self.intake(batches, heartbeat, reading_stop.clone())?;
        let consumer = intake.consumer();
        let background = Background::default();
        let durable = background.start(&self, &consumer, reading_stop.clone());
        info!(owner = self.owner, "joined the group");

        let reading = tokio::task::spawn_blocking(move || intake.run());
        let pipeline = self.pipeline(durable).run(incoming);
        let pipeline = tokio::spawn(async move {
            let _stop = reading_stop.drop_guard();
            pipeline.await
        });
        let read = reading.await.context("the thread that polls Kafka");
        self.health.start_draining();
        info!("draining");
        let drained = drain(pipeline, self.recovery.shutdown.clone()).await;
        background.end().await;
        self.leave(consumer).await;
        drained?;
        read?.map_err(|error| anyhow!("the Kafka client cannot go on: {error}"))
    }

    fn intake(
        &self,
        batches: Giving,
        heartbeat: Heartbeat,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Intake> {
        let recovery = Recovery {
            shutdown,
            ..self.recovery.clone()
        };
        let runtime = tokio::runtime::Handle::current();
        let takeover = TakeOver::new(recovery, self.owner.clone(), runtime);
        let board = self.board.clone();
        Ok(Intake::join(
            &self.config,
            takeover,
            board,
            batches,
            heartbeat,
        )?)
    }

    fn pipeline(&self, durable: Durable) -> Pipeline {
        let (recovery, board) = (self.recovery.clone(), self.board.clone());
        Pipeline::new(recovery, board, &self.config, self.owner.clone(), durable)
    }

    /// Leaves the group, at once: nobody else has the consumer any more.
    async fn leave(&self, consumer: Arc<BaseConsumer<Group>>) {
        let lanes = self.board.lanes();
        if let Err(error) = lanes::release(&self.recovery.pool, &self.owner, &lanes).await {
            warn!(%error, "PostgreSQL was not told that the lanes are free");
        }
        // it may block
        let leaving = tokio::task::spawn_blocking(move || drop(consumer));
        leaving.await.ok();
    }
}

/// What is durable, for the commits to the group.
type Durable = mpsc::UnboundedSender<Vec<(LaneId, i64)>>;

/// What goes on beside the way of the batches.
#[derive(Default)]
struct Background {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Background {
    fn start(
        &self,
        member: &Member,
        consumer: &Arc<BaseConsumer<Group>>,
        shutdown: CancellationToken,
    ) -> Durable {
        let Recovery { pool, clock, .. } = &member.recovery;
        let oldest = Arc::new(OldestOpen::default());
        observe_oldest(&telemetry::meter(), oldest.clone(), clock.clone());
        self.spawn(open_batches::watch(pool.clone(), clock.clone(), oldest));
        self.spawn(progress::tidy(pool.clone(), clock.clone()));
        self.tasks.spawn(progress::report(
            consumer.clone(),
            member.board.clone(),
            pool.clone(),
            clock.clone(),
            self.stop.clone(),
        ));
        let settle = settler(&member.config, &member.recovery, &member.owner);
        self.tasks
            .spawn(settle.run(member.config.settle.interval.get(), shutdown));
        let (durable, commits) = mpsc::unbounded_channel();
        self.tasks
            .spawn(progress::commit(consumer.clone(), commits));
        durable
    }

    /// Runs something that may be dropped at any time.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.run_until_cancelled(work).await;
        });
    }

    /// Stops everything and waits for its end.
    async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
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
