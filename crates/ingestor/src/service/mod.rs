//! Starts the parts of the ingestor and ends them in order.

mod background;
mod dependencies;

use crate::{
    board::Board,
    config::Config,
    handover::{Giving, handover},
    intake::{Group, Intake, TakeOver, Wanted},
    judge::Encoder,
    pipeline::Pipeline,
    progress::Durable,
    recover::{RecoverError, Recovery},
};
use anyhow::{Context, anyhow};
use background::Background;
use dependencies::{await_dependencies, health_state};
use event_store::Buffers;
use metadata_store::lanes;
use rdkafka::consumer::BaseConsumer;
use service_runtime::{
    clock::{Clock, SystemClock},
    health::{self, HealthState, Heartbeat},
};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

/// How much free memory is kept for the next batches, in full ones: one of records, and one of rows.
const BATCHES_KEPT: usize = 2;
/// How long a shutdown may take. What is open then is recovered by the next member.
const DRAIN: Duration = Duration::from_secs(25);

/// Runs a member of the group until shutdown.
///
/// # Errors
/// When it cannot start, or the Kafka client is beyond repair.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    run_by(Arc::new(SystemClock), config, shutdown).await
}

/// The same, by another clock.
///
/// # Errors
/// The same.
pub async fn run_by(
    clock: Arc<dyn Clock>,
    config: Config,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let board = Arc::new(Board::default());
    let recovery = Recovery {
        clock,
        ..Recovery::connect(&config, &board)?
    };
    let heartbeat = Heartbeat::new();
    let wanted = Wanted::default();
    let begun = CancellationToken::new();
    let health = health_state(&recovery, &board, &wanted, &begun, &heartbeat);
    let admin_stop = CancellationToken::new();
    let admin = health::bind(config.admin.listen, &health)?.run(admin_stop.clone());
    let admin = tokio::spawn(admin);
    let memory = Buffers::up_to(BATCHES_KEPT * config.batch.max_bytes.as_usize());
    let member = Member {
        owner: format!("{}-{}", hostname(), Uuid::now_v7().simple()),
        config,
        board,
        wanted,
        begun,
        recovery,
        health,
        memory,
    };
    let lived = member.live(heartbeat, shutdown).await;
    admin_stop.cancel();
    let served = admin.await.context("the admin listener");
    lived?;
    Ok(served??)
}

/// A member of the group.
struct Member {
    config: Config,
    owner: String,
    board: Arc<Board>,
    /// The lanes that are being taken over.
    wanted: Wanted,
    /// Cancelled once the stores were found to be fit.
    begun: CancellationToken,
    recovery: Recovery,
    health: HealthState,
    /// The memory of batches, used again for the next.
    memory: Buffers,
}

impl Member {
    /// Takes part in the group until shutdown. Nothing that it has started goes on afterwards.
    async fn live(self, heartbeat: Heartbeat, shutdown: CancellationToken) -> anyhow::Result<()> {
        if await_dependencies(&self.recovery, &shutdown).await.is_err() {
            info!("asked to end before the stores were found to be fit");
            return Ok(());
        }
        self.begun.cancel();
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
        let takeover = TakeOver::new(recovery, self.owner.clone(), runtime, self.wanted.clone());
        let board = self.board.clone();
        Ok(Intake::join(
            &self.config,
            takeover,
            board,
            batches,
            self.memory.clone(),
            heartbeat,
        )?)
    }

    fn pipeline(&self, durable: Durable) -> Pipeline {
        let (recovery, board) = (self.recovery.clone(), self.board.clone());
        let encoder = Encoder::new(self.memory.clone());
        let owner = self.owner.clone();
        Pipeline::new(recovery, board, &self.config, owner, encoder, durable)
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

fn hostname() -> String {
    std::env::var("HOSTNAME").unwrap_or_else(|_| "ingestor".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_the_pipeline_is_a_failure_and_its_shutdown_is_none() {
        let panicked = tokio::spawn(async { panic!("on purpose") }).await;
        let failed = Err(RecoverError::from(panicked.unwrap_err()));
        let drained = drain(tokio::spawn(async { failed }), CancellationToken::new()).await;
        assert!(drained.is_err());
        let ended = tokio::spawn(async { Err(RecoverError::ShuttingDown) });
        assert!(drain(ended, CancellationToken::new()).await.is_ok());
    }
}
