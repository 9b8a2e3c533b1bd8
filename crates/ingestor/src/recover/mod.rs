//! The one recovery: whatever went wrong with a batch, and whoever finds it.
//!
//! end other recoverers ─▶ announce the next attempt ─▶ end the first one ─▶ look what is there ─▶ insert what is not ─▶ look again ─▶ close

mod again;
mod closing;
mod error;
mod given_up;
mod gone;

pub(crate) use error::ALARM_AFTER;
pub use error::RecoverError;

use crate::{
    board::Board,
    config::{Config, KafkaConfig},
    dead_letters::{DeadLetterTopic, Delivered},
    judge::{Encoder, Judged},
    meters::Meters,
    share::{Share, omissions},
    write::{Attempt, WriteError, Writer, presence},
};
use again::check_codec;
use backon::{BackoffBuilder, ExponentialBuilder, Retryable};
use chrono::{DateTime, Utc};
use error::report;
use event_store::{Store, fence, shape::Seen};
use metadata_store::{
    LaneId, Pool, StoreError, batches,
    batches::{Batch, Stored},
    clock,
};
use service_runtime::{
    clock::{Clock, SystemClock},
    telemetry,
};
use shared_schema::Subscriptions;
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info, info_span};
use uuid::Uuid;

/// The pauses after failed attempts. Their jitter keeps members that race from staying in step.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(200))
    .with_max_delay(Duration::from_secs(5))
    .with_jitter()
    .without_max_times();
/// The longest pause where another recoverer ended the attempt: each must leave the other the time to finish.
const CONTENTION: Duration = Duration::from_secs(60);

/// What a recovery works with.
#[derive(Clone)]
pub struct Recovery {
    /// Where intents are stored.
    pub pool: Pool,
    /// What writes.
    pub writer: Writer,
    /// Where dead letters go.
    pub dead_letters: DeadLetterTopic,
    /// How Kafka is read again.
    pub kafka: KafkaConfig,
    /// What the topics carry.
    pub sources: Arc<Subscriptions>,
    /// Held while a batch is read again: each takes memory.
    pub rereading: Arc<Mutex<()>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub meters: Meters,
    /// Ends every wait.
    pub shutdown: CancellationToken,
}

/// A batch that this process judged itself.
pub struct Own<'a> {
    /// The batch.
    pub judged: &'a Judged,
    /// Its dead letters that were published before.
    pub delivered: Delivered,
}

/// How a batch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// All of it is in ClickHouse, but for the ranges of these lanes, which had to be left. A batch that needed no recovery
    /// is still to be closed.
    Written {
        /// The lanes.
        parked: Vec<LaneId>,
    },
    /// PostgreSQL does not know it any more, and nothing more of it will be written. What was written before tells the
    /// next take-over of its lanes.
    Forgotten,
}

impl Recovery {
    /// Connects when it is first needed. Its shutdown is not that of the process: what is being written when that comes
    /// may still be finished.
    ///
    /// # Errors
    /// When a client cannot be configured so.
    pub fn connect(config: &Config, board: &Arc<Board>) -> anyhow::Result<Self> {
        Ok(Self {
            pool: Pool::new(&config.postgres)?,
            writer: Writer::new(Store::connect(&config.clickhouse)?, &mut Encoder::default()),
            dead_letters: DeadLetterTopic::new(&config.kafka)?,
            kafka: config.kafka.clone(),
            sources: Arc::new(Subscriptions::new(&config.topics)?),
            rereading: Arc::default(),
            clock: Arc::new(SystemClock),
            meters: Meters::new(&telemetry::meter(), board),
            shutdown: CancellationToken::new(),
        })
    }

    /// Finishes a batch, however long it takes. Without `own` it is read from Kafka again. Its dead letters are published
    /// once, however often it is tried.
    ///
    /// # Errors
    /// Only when the process shuts down: the batch is then still open.
    pub async fn finish(
        &self,
        batch: Uuid,
        own: Option<Own<'_>>,
    ) -> Result<Finished, RecoverError> {
        let (own, delivered) = match own {
            Some(Own { judged, delivered }) => (Some(judged), delivered),
            None => (None, Delivered::default()),
        };
        let span = info_span!("recover", otel.kind = "consumer", messaging.system = "kafka", batch.id = %batch);
        let mut races = PAUSES.with_max_delay(CONTENTION).build();
        let mut failures = 0;
        let patiently = (|| {
            self.attempt(batch, own, &delivered)
                .instrument(span.clone())
        })
        .retry(PAUSES)
        .when(|failure| !matches!(failure, RecoverError::ShuttingDown))
        .adjust(|failure, pause| match failure.is_contention() {
            true => races.next(),
            false => pause,
        })
        .notify(|failure, _| {
            failures += 1;
            report(batch, failures, failure);
        });
        tokio::select! {
            finished = patiently => finished,
            () = self.shutdown.cancelled() => Err(RecoverError::ShuttingDown),
        }
    }

    async fn attempt(
        &self,
        batch: Uuid,
        own: Option<&Judged>,
        delivered: &Delivered,
    ) -> Result<Finished, RecoverError> {
        let _alone = match own {
            Some(_) => None,
            None => Some(self.rereading.lock().await),
        };
        let stored = match batches::load(&self.pool, batch).await {
            Err(StoreError::NoSuchBatch(_)) => {
                // an insert of it may still be on its way, and would come after whoever looks for what is there
                fence::end_all(self.writer.store())
                    .await
                    .map_err(WriteError::from)?;
                error!(batch.id = %batch, "PostgreSQL has forgotten an open batch: it has gone back to an older state");
                return Ok(Finished::Forgotten);
            }
            stored => stored?,
        };
        if stored.done {
            return Ok(written(&stored.batch));
        }
        // who cannot finish it may not end the attempts of those who can
        check_codec(&stored.batch)?;
        self.check_age(&stored.batch).await?;
        let schema = self.writer.schema().await?;
        let attempt = self.begin(&stored).await?;
        self.meters.recoveries.add(1, &[]);
        info!(batch.id = %batch, batch.attempt = attempt.number, "recovering a batch");
        // again: until then, others may have left ranges out
        let stored = batches::load(&self.pool, batch).await?;
        // and then it is no longer as its member judged it
        let own = own.filter(|_| omissions(&stored.batch) == 0);
        match own {
            Some(judged) => self.write(judged, delivered, attempt, schema).await?,
            None => {
                for share in Share::of(&stored.batch) {
                    let judged = self
                        .judge_again(&stored.batch, attempt.number, share)
                        .await?;
                    self.write(&judged, delivered, attempt, schema).await?;
                }
            }
        }
        self.correct_ledger(&stored.batch).await?;
        self.close(batch).await?;
        info!(batch.id = %batch, batch.attempt = attempt.number, "recovered a batch");
        Ok(written(&batches::load(&self.pool, batch).await?.batch))
    }

    /// Begins an attempt at a batch, and ends all that began before: they can neither write it nor close it any more.
    ///
    /// Its life begins *before* it is announced, and what is stored of the batch is read after that: a recoverer that has
    /// slept over another one must not begin its life when it wakes, and write what it knew of the batch before.
    pub(crate) async fn begin(&self, stored: &Stored) -> Result<Attempt, RecoverError> {
        let batch = stored.batch.id;
        let life = fence::recoverers_life(self.writer.store(), batch).await;
        let life = life.map_err(WriteError::from)?;
        let announced = batches::next_attempt(&self.pool, batch, stored.attempt).await?;
        let number = announced.ok_or(RecoverError::LostRace(batch))?;
        self.writer.end_first(batch).await?;
        Ok(Attempt { number, life })
    }

    /// The earliest `decided_at` of a batch of which ClickHouse still tells what is there. For a clock that is ahead,
    /// healthy batches would be too old.
    pub(crate) async fn told_since(&self) -> Result<DateTime<Utc>, StoreError> {
        let now = self.clock.now();
        clock::check(&self.pool, now).await?;
        Ok(presence::told_since(now))
    }

    /// Refuses a batch of which what is there may look missing.
    pub(crate) async fn check_age(
        &self,
        &Batch { id, decided_at, .. }: &Batch,
    ) -> Result<(), RecoverError> {
        match decided_at >= self.told_since().await? {
            true => Ok(()),
            false => Err(RecoverError::TooOld {
                batch: id,
                decided_at,
            }),
        }
    }

    async fn write(
        &self,
        judged: &Judged,
        delivered: &Delivered,
        attempt: Attempt,
        schema: Seen,
    ) -> Result<(), RecoverError> {
        self.dead_letters.publish(judged, delivered).await?;
        Ok(self.writer.repair(judged, attempt, schema).await?)
    }
}

/// A closed batch. A range that is parked without ever having been left out was durable before.
fn written(closed: &Batch) -> Finished {
    let ranges = closed.ranges.iter();
    let left = ranges.filter(|range| range.parked && range.omission.is_some());
    Finished::Written {
        parked: left.map(|range| range.lane.clone()).collect(),
    }
}
