//! The way of a batch, in order:
//!
//! ```text
//! intake ─▶ judge ─▶ open (and close the one before) ─▶ dead letters ─▶ write ─▶ closed
//!             ▲         PostgreSQL                        Kafka       ClickHouse
//!             └ while the batch before is on the wire       └ anything wrong: recover ┘
//! ```
//!
//! A member has one open batch. The next one is judged while it is written, and the transaction that closes the
//! one opens the other.

use crate::{
    batch::RawBatch,
    board::Board,
    config::Config,
    handover::Taking,
    judge::{Encoder, Identities, Judged, StoredVerdicts, judge},
    recover::{ALARM_AFTER, Finished, RecoverError, Recovery, chain},
    windows,
    write::WriteError,
};
use backon::{ExponentialBuilder, Retryable};
use chrono::{DateTime, SubsecRound, Utc};
use metadata_store::{LaneId, batches::Opening};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, error, info, info_span, warn};
use uuid::Uuid;

const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Between two looks whether a migration is over.
const MIGRATION_PAUSE: Duration = Duration::from_millis(250);

/// Takes batches from the intake and makes them durable, one after the other.
pub struct Pipeline {
    recovery: Recovery,
    board: Arc<Board>,
    config: Config,
    owner: String,
    identities: Identities,
    encoder: Encoder,
    committed: mpsc::UnboundedSender<Vec<(LaneId, i64)>>,
}

/// A batch that is being written.
struct Open {
    judged: Arc<Judged>,
    writing: JoinHandle<Result<Finished, RecoverError>>,
}

impl Pipeline {
    /// A pipeline for one member. What is durable is told to `committed`.
    pub fn new(
        recovery: Recovery,
        board: Arc<Board>,
        config: &Config,
        owner: String,
        committed: mpsc::UnboundedSender<Vec<(LaneId, i64)>>,
    ) -> Self {
        Self {
            recovery,
            board,
            config: config.clone(),
            owner,
            identities: Identities::default(),
            encoder: Encoder::default(),
            committed,
        }
    }

    /// Runs until the intake ends and its last batch is closed.
    ///
    /// # Errors
    /// When the process shuts down while a batch cannot be finished; the batch stays open for its recovery.
    pub async fn run(mut self, mut incoming: Taking) -> Result<(), RecoverError> {
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
                        if let Some(written) = self.written(judged, outcome(written)?) {
                            self.close(&written).await?;
                        }
                        continue;
                    }
                },
            };
            let Some(raw) = raw else { break };
            let judged = self.judge(raw).await?;
            let before = match open.take() {
                Some(before) => self.written(before.judged, outcome(before.writing.await)?),
                None => None,
            };
            open = self.open(judged, before).await?;
        }
        if let Some(last) = open
            && let Some(written) = self.written(last.judged, outcome(last.writing.await)?)
        {
            self.close(&written).await?;
        }
        Ok(())
    }

    /// A batch that may be closed. One that PostgreSQL has forgotten may not: its lanes are taken over again, which
    /// finds in ClickHouse whatever was written of it.
    fn written(&mut self, judged: Arc<Judged>, finished: Finished) -> Option<Arc<Judged>> {
        match finished {
            Finished::Written => Some(judged),
            Finished::Forgotten => {
                let lanes = || judged.ranges.iter().map(|range| &range.lane);
                lanes().for_each(|lane| self.identities.forget(lane));
                self.board.lose(lanes());
                self.board.free(&judged.ranges);
                None
            }
        }
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
        let mut identities = std::mem::take(&mut self.identities);
        let mut encoder = std::mem::take(&mut self.encoder);
        let judging = tokio::task::spawn_blocking(move || {
            let judged = judge(id, raw, rules, &mut identities, &mut encoder);
            (judged, identities, encoder)
        });
        let (judged, identities, encoder) =
            judging.await.map_err(|_| RecoverError::ShuttingDown)?;
        self.identities = identities;
        self.encoder = encoder;
        Ok(judged.map_err(WriteError::from)?)
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

    /// Closes `before` and opens the judged batch, without the lanes that were lost meanwhile.
    async fn open(
        &mut self,
        mut judged: Judged,
        mut before: Option<Arc<Judged>>,
    ) -> Result<Option<Open>, RecoverError> {
        let mut life = self.life(&mut before).await?;
        let mut close = before.as_ref().map(|before| before.id);
        let mut is_held_up = false;
        loop {
            // a lane that is held is not given up, nor taken over again, before the batch is over
            let refused = self.board.hold(&judged.ranges);
            if !refused.is_empty() {
                judged = self.without(judged, &refused)?;
                continue;
            }
            let intent = (!judged.raw.is_empty()).then(|| judged.intent(&self.owner));
            let recovery = &self.recovery;
            let advance = || recovery.advance(close, intent.as_ref());
            let opening = persist(&recovery.shutdown, "open a batch", advance).await?;
            if let (Some(_), Some(before)) = (close.take(), &before) {
                self.announce_closed(before);
            }
            if opening == Opening::Opened {
                return Ok(intent.is_some().then(|| self.start(judged, life)));
            }
            self.board.free(&judged.ranges);
            match opening {
                Opening::LanesLost(lanes) => {
                    self.board.lose(&lanes);
                    judged = self.without(judged, &lanes)?;
                }
                Opening::Stale(not_before) => {
                    let decided_at = not_before.max(self.recovery.clock.now().trunc_subsecs(3));
                    judged = self.anew(judged, decided_at).await?;
                }
                Opening::Migrating => {
                    if !std::mem::replace(&mut is_held_up, true) {
                        info!("a migration is under way; no batch is opened before it is over");
                    }
                    self.pause().await?;
                    life = self.life(&mut None).await?;
                }
                Opening::Opened => {}
            }
        }
    }

    /// Waits a moment for what others do.
    async fn pause(&self) -> Result<(), RecoverError> {
        let shutdown = &self.recovery.shutdown;
        let waited = shutdown.run_until_cancelled(tokio::time::sleep(MIGRATION_PAUSE));
        waited.await.ok_or(RecoverError::ShuttingDown)
    }

    /// The life of ClickHouse in which the next batch will be written. Where it does not tell, it may be down for
    /// long, and what it has written until then need not stay open.
    async fn life(&self, before: &mut Option<Arc<Judged>>) -> Result<Uuid, RecoverError> {
        if let Ok(life) = self.recovery.writer.life().await {
            return Ok(life);
        }
        if let Some(written) = before.take() {
            self.close(&written).await?;
        }
        let recovery = &self.recovery;
        persist(&recovery.shutdown, "ask ClickHouse for its life", || {
            recovery.writer.life()
        })
        .await
    }

    /// The batch without some lanes. The verdicts on the others stand: identities do not cross lanes.
    fn without(&mut self, mut judged: Judged, lost: &[LaneId]) -> Result<Judged, RecoverError> {
        warn!(batch.id = %judged.id, lanes = lost.len(), "lanes were lost before their batch was opened");
        lost.iter().for_each(|lane| self.identities.forget(lane));
        judged.raw.lanes.retain(|lane| !lost.contains(&lane.lane));
        let rules = self.config.judge.rules(judged.decided_at);
        let mut verdicts = StoredVerdicts::new(&judged.ranges);
        let encoder = &mut self.encoder;
        let judged = judge(judged.id, judged.raw, rules, &mut verdicts, encoder);
        Ok(judged.map_err(WriteError::from)?)
    }

    /// Judges the batch at another time. What was too early then may be accepted now, and a repetition of it may not:
    /// identities are looked up afresh.
    async fn anew(
        &mut self,
        judged: Judged,
        decided_at: DateTime<Utc>,
    ) -> Result<Judged, RecoverError> {
        let lanes = judged.raw.lanes.iter().map(|lane| &lane.lane);
        lanes.for_each(|lane| self.identities.forget(lane));
        self.load_windows(&judged.raw).await?;
        self.judge_at(judged.id, judged.raw, decided_at).await
    }

    /// Starts the first attempt; whatever goes wrong with it is recovered.
    fn start(&self, mut judged: Judged, life: Uuid) -> Open {
        judged.shed();
        let judged = Arc::new(judged);
        let (batch, recovery) = (judged.clone(), self.recovery.clone());
        let span = info_span!("batch", batch.id = %judged.id, batch.records = judged.raw.len());
        let writing = async move {
            let started = tokio::time::Instant::now();
            let finished = match first_attempt(&recovery, &batch, life).await {
                Ok(()) => Finished::Written,
                Err(failure) => {
                    warn!(batch.id = %batch.id, reason = chain(&failure), "a batch was not written at the first attempt");
                    recovery.finish(batch.id, Some(&batch)).await?
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

    async fn close(&self, judged: &Judged) -> Result<(), RecoverError> {
        let recovery = &self.recovery;
        let close = || recovery.close(judged.id);
        persist(&recovery.shutdown, "close a batch", close).await?;
        self.announce_closed(judged);
        Ok(())
    }

    fn announce_closed(&self, judged: &Judged) {
        self.board.closed(&judged.ranges);
        self.recovery.meters.count(judged);
        debug!(batch.id = %judged.id, batch.records = judged.raw.len(), "closed a batch");
        let next = judged
            .ranges
            .iter()
            .map(|range| (range.lane.clone(), range.hi + 1))
            .collect();
        // nobody listens while the process ends; the commit is a hint for lag tools only
        let _ = self.committed.send(next);
    }
}

/// Tries until it works; an outage is waited for.
async fn persist<T, E, F>(
    shutdown: &CancellationToken,
    what: &str,
    work: impl Fn() -> F + Send,
) -> Result<T, RecoverError>
where
    E: std::error::Error + Send + 'static,
    F: Future<Output = Result<T, E>> + Send,
{
    let (shortest, longest) = PAUSE;
    let pauses = ExponentialBuilder::default()
        .with_min_delay(shortest)
        .with_max_delay(longest)
        .with_jitter()
        .without_max_times();
    let mut failures = 0;
    let patiently = work.retry(pauses).notify(|failure, _| {
        failures += 1;
        let reason = chain(failure);
        match failures < ALARM_AFTER {
            true => warn!(failures, reason, "cannot {what} yet"),
            false => error!(
                failures,
                reason, "cannot {what}; it is tried again until it can"
            ),
        }
    });
    tokio::select! {
        done = patiently => done.map_err(|_| RecoverError::ShuttingDown),
        () = shutdown.cancelled() => Err(RecoverError::ShuttingDown),
    }
}

async fn first_attempt(
    recovery: &Recovery,
    judged: &Judged,
    life: Uuid,
) -> Result<(), RecoverError> {
    recovery.dead_letters.publish(judged).await?;
    Ok(recovery.writer.write(judged, life).await?)
}

/// A write that ended; a panic in it leaves the batch to its recovery.
fn outcome(
    joined: Result<Result<Finished, RecoverError>, tokio::task::JoinError>,
) -> Result<Finished, RecoverError> {
    joined.unwrap_or(Err(RecoverError::ShuttingDown))
}
