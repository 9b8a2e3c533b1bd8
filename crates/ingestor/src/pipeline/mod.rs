//! The way of a batch, in order:
//!
//! ```text
//! intake ─▶ gaps ─▶ judge ─▶ open (and close the one before) ─▶ dead letters ─▶ write ─▶ closed
//!             ▲         PostgreSQL                        Kafka       ClickHouse
//!             └ while the batch before is on the wire       └ anything wrong: recover ┘
//! ```
//!
//! A member has one open batch. The next one is judged while it is written, and the transaction that closes the
//! one opens the other.

mod gaps;
mod opening;

use crate::{
    batch::RawBatch,
    board::Board,
    config::Config,
    dead_letters::Delivered,
    handover::Taking,
    judge::{Encoder, Identities, IdentityJudge, Judged, Rules, judge_aside},
    persist::persist,
    progress::Durable,
    recover::{Finished, Own, RecoverError, Recovery},
    windows,
    write::{Life, WriteError},
};
use chrono::{DateTime, SubsecRound, Utc};
use metadata_store::LaneId;
use service_runtime::telemetry::chain;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tracing::{Instrument, debug, info_span, warn};
use uuid::Uuid;

/// Takes batches from the intake and makes them durable, one after the other.
pub(crate) struct Pipeline {
    recovery: Recovery,
    board: Arc<Board>,
    config: Config,
    owner: String,
    identities: Identities,
    encoder: Encoder,
    durable: Durable,
}

/// A batch that is being written.
struct Open {
    judged: Arc<Judged>,
    writing: JoinHandle<Result<Finished, RecoverError>>,
}

/// A batch that is written and may be closed.
struct Written {
    judged: Arc<Judged>,
    /// Lanes whose ranges its recovery had to leave.
    parked: Vec<LaneId>,
}

impl Pipeline {
    /// A pipeline for one member. What is durable is told to `durable`.
    pub(crate) fn new(
        recovery: Recovery,
        board: Arc<Board>,
        config: &Config,
        owner: String,
        encoder: Encoder,
        durable: Durable,
    ) -> Self {
        Self {
            recovery,
            board,
            config: config.clone(),
            owner,
            identities: Identities::default(),
            encoder,
            durable,
        }
    }

    /// Runs until the intake ends and its last batch is closed.
    ///
    /// # Errors
    /// When the process shuts down while a batch cannot be finished; the batch stays open for its recovery.
    pub(crate) async fn run(mut self, mut incoming: Taking) -> Result<(), RecoverError> {
        let mut open: Option<Open> = None;
        loop {
            let raw = match &mut open {
                None => incoming.next().await,
                Some(current) => tokio::select! {
                    biased;
                    raw = incoming.next() => raw,
                    written = &mut current.writing => {
                        let judged = current.judged.clone();
                        open = None;
                        if let Some(written) = self.written(judged, written??) {
                            self.close(&written).await?;
                        }
                        continue;
                    }
                },
            };
            let Some(raw) = raw else { break };
            let raw = self.proved(raw).await?;
            let judged = self.judge(raw).await?;
            let before = match open.take() {
                Some(before) => self.written(before.judged, before.writing.await??),
                None => None,
            };
            open = self.open(judged, before).await?;
        }
        if let Some(last) = open
            && let Some(written) = self.written(last.judged, last.writing.await??)
        {
            self.close(&written).await?;
        }
        Ok(())
    }

    /// A batch that may be closed. One that PostgreSQL has forgotten may not: its lanes are taken over again, which
    /// finds in ClickHouse whatever was written of it. So are lanes whose ranges were parked: they stand still.
    fn written(&mut self, judged: Arc<Judged>, finished: Finished) -> Option<Written> {
        match finished {
            Finished::Written { parked } => {
                self.lose(parked.iter());
                Some(Written { judged, parked })
            }
            Finished::Forgotten => {
                self.lose(judged.ranges.iter().map(|range| &range.lane));
                self.board.free(&judged.ranges);
                None
            }
        }
    }

    fn lose<'a>(&mut self, lanes: impl Iterator<Item = &'a LaneId> + Clone) {
        lanes.clone().for_each(|lane| self.identities.forget(lane));
        self.board.lose(lanes);
    }

    /// Judges a batch, off the threads that serve the wire.
    async fn judge(&mut self, raw: RawBatch) -> Result<Judged, RecoverError> {
        self.load_windows(&raw).await?;
        // milliseconds are what every store keeps
        let decided_at = self.recovery.clock.now().trunc_subsecs(3);
        self.judge_at(Uuid::now_v7(), raw, decided_at).await
    }

    async fn judge_at(
        &mut self,
        id: Uuid,
        raw: RawBatch,
        decided_at: DateTime<Utc>,
    ) -> Result<Judged, RecoverError> {
        let rules = self.config.judge.rules(decided_at);
        let identities = std::mem::take(&mut self.identities);
        let (judged, identities) = self.judge_by(id, raw, rules, identities).await?;
        self.identities = identities;
        Ok(judged)
    }

    async fn judge_by<I: IdentityJudge + Send + 'static>(
        &mut self,
        id: Uuid,
        raw: RawBatch,
        rules: Rules,
        identities: I,
    ) -> Result<(Judged, I), RecoverError> {
        let encoder = std::mem::take(&mut self.encoder);
        let judging = judge_aside(id, raw, rules, identities, encoder).await;
        let (judged, identities, encoder) = judging?;
        self.encoder = encoder;
        Ok((judged.map_err(WriteError::from)?, identities))
    }

    /// Lanes that are new to this member need to know what was accepted before it came.
    async fn load_windows(&mut self, raw: &RawBatch) -> Result<(), RecoverError> {
        let reach = i64::from(self.config.judge.dedup_window);
        for lane in &raw.lanes {
            if !self.identities.covers(&lane.lane, lane.epoch) {
                let store = self.recovery.writer.store();
                let load = || windows::load(store, &lane.lane, lane.epoch, lane.lo, reach);
                let window = persist(
                    &self.recovery.shutdown,
                    "load the identities of a lane",
                    load,
                )
                .await?;
                self.identities.put(lane.lane.clone(), window);
            }
        }
        Ok(())
    }

    /// Starts the first attempt; whatever goes wrong with it is recovered.
    fn start(&self, mut judged: Judged, life: Life) -> Open {
        judged.shed();
        let judged = Arc::new(judged);
        let (batch, recovery) = (judged.clone(), self.recovery.clone());
        let span = info_span!(
            "batch",
            otel.kind = "consumer",
            messaging.system = "kafka",
            messaging.batch.message_count = judged.raw.len(),
            batch.id = %judged.id,
        );
        judged.raw.link(&span);
        let writing = async move {
            let started = tokio::time::Instant::now();
            let delivered = Delivered::default();
            let finished = match first_attempt(&recovery, &batch, &delivered, life).await {
                Ok(()) => Finished::Written { parked: Vec::new() },
                Err(failure) => {
                    warn!(batch.id = %batch.id, reason = chain(&failure), "a batch was not written at the first attempt");
                    let judged = &*batch;
                    recovery
                        .finish(batch.id, Some(Own { judged, delivered }))
                        .await?
                }
            };
            recovery
                .meters
                .write_seconds
                .record(started.elapsed().as_secs_f64(), &[]);
            Ok(finished)
        };
        let writing = tokio::spawn(writing.instrument(span));
        Open { judged, writing }
    }

    async fn close(&self, written: &Written) -> Result<(), RecoverError> {
        let recovery = &self.recovery;
        let close = || recovery.close(written.judged.id);
        persist(&recovery.shutdown, "close a batch", close).await?;
        self.announce_closed(written);
        Ok(())
    }

    fn announce_closed(&self, Written { judged, parked }: &Written) {
        self.board.closed(&judged.ranges, parked);
        self.recovery.meters.count(judged, parked);
        debug!(batch.id = %judged.id, batch.records = judged.raw.len(), "closed a batch");
        let durable = judged.ranges.iter();
        let durable = durable.filter(|range| !parked.contains(&range.lane));
        let next = durable
            .map(|range| (range.lane.clone(), range.hi + 1))
            .collect();
        // nobody listens while the process ends; the commit is a hint for lag tools only
        let _ = self.durable.send(next);
    }
}

async fn first_attempt(
    recovery: &Recovery,
    judged: &Judged,
    delivered: &Delivered,
    life: Life,
) -> Result<(), RecoverError> {
    recovery.dead_letters.publish(judged, delivered).await?;
    Ok(recovery.writer.write(judged, life).await?)
}
