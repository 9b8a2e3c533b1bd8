//! What goes on beside the way of the batches.

use super::Member;
use crate::{
    config::Config,
    intake::Group,
    meters::observe_oldest,
    open_batches::{self, OldestOpen},
    progress::{self, Durable},
    recover::Recovery,
    settle::Settler,
    topics,
};
use rdkafka::consumer::BaseConsumer;
use service_runtime::telemetry;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What goes on beside the way of the batches.
#[derive(Default)]
pub(super) struct Background {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Background {
    /// Starts everything. What is told to the answer is committed to the group.
    pub(super) fn start(
        &self,
        member: &Member,
        consumer: &Arc<BaseConsumer<Group>>,
        shutdown: CancellationToken,
    ) -> Durable {
        let Recovery { pool, clock, .. } = &member.recovery;
        let oldest = Arc::new(OldestOpen::default());
        observe_oldest(&telemetry::meter(), oldest.clone(), clock.clone());
        pool.observe();
        self.spawn(open_batches::watch(pool.clone(), clock.clone(), oldest));
        self.spawn(topics::warn_of_producers_clocks(member.config.clone()));
        self.spawn(progress::tidy(pool.clone(), clock.clone()));
        self.tasks.spawn(progress::report(
            consumer.clone(),
            member.board.clone(),
            member.recovery.clone(),
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
    pub(super) async fn end(self) {
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
        max_facts: config.settle.max_facts,
        shape: event_store::shape::Watch::default(),
        settled: recovery.meters.settled.clone(),
    }
}
