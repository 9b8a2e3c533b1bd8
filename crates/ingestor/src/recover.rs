//! The one recovery: whatever went wrong with a batch, and whoever finds it.
//!
//! announce the next attempt ─▶ end the earlier ones ─▶ look what is there ─▶ insert what is not ─▶ look again ─▶ close

mod again;
mod given_up;

pub(crate) use given_up::LOST;

use crate::{
    config::KafkaConfig,
    dead_letters::{DeadLetterError, DeadLetterTopic},
    judge::{CODEC, Judged},
    meters::Meters,
    reread::RereadError,
    rewound,
    write::{Settling, Share, WriteError, Writer, omissions},
};
use again::check_codec;
use chrono::{DateTime, Utc};
use event_store::fence;
use metadata_store::{Pool, StoreError, batches, rebuilt, settlings};
use service_runtime::clock::Clock;
use shared_schema::Subscriptions;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info, info_span, warn};
use uuid::Uuid;

/// The pause after a failed attempt grows from the first to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// The longest pause where another recoverer ended the attempt: each must leave the other the time to finish.
const CONTENTION: Duration = Duration::from_secs(60);
/// Between two tries to get the turn to settle.
const TURN: Duration = Duration::from_millis(100);
/// How long a recovery waits for whoever settles, where nothing says that it must.
const TURN_PATIENCE: Duration = Duration::from_secs(5);
/// ClickHouse's code for a query that was killed.
const QUERY_WAS_CANCELLED: u32 = 394;
/// Failures in a row after which someone should look.
pub(crate) const ALARM_AFTER: u32 = 5;

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
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub meters: Meters,
    /// Ends every wait.
    pub shutdown: CancellationToken,
}

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finished {
    /// All of it is in ClickHouse.
    Written,
    /// PostgreSQL does not know it any more, and nothing more of it will be written. What was written before tells the
    /// next take-over of its lanes.
    Forgotten,
}

/// Why an attempt did not finish the batch.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// PostgreSQL.
    #[error(transparent)]
    Intent(#[from] StoreError),
    /// ClickHouse.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Kafka.
    #[error(transparent)]
    Reread(#[from] RereadError),
    /// The dead-letter topic.
    #[error(transparent)]
    DeadLetter(#[from] DeadLetterError),
    /// Another version opened the batch.
    #[error(
        "batch {batch} was opened with codec {codec}, this version has {CODEC}: run a member of that version to finish it"
    )]
    OtherCodec {
        /// The batch.
        batch: Uuid,
        /// Its codec.
        codec: i32,
    },
    /// What ClickHouse knows of a lane cannot be put back into PostgreSQL.
    #[error(transparent)]
    Rewound(#[from] rewound::RewoundError),
    /// Somebody else is at it.
    #[error("another member recovers batch {0}")]
    LostRace(Uuid),
    /// The process ends; the batch stays open for the next one.
    #[error("the process is shutting down")]
    ShuttingDown,
}

impl RecoverError {
    /// Whether somebody else's attempt at the same batch ended this one.
    fn is_contention(&self) -> bool {
        match self {
            Self::LostRace(_) => true,
            Self::Write(WriteError::Store(error)) => {
                error.is_fenced() || error.server_code() == Some(QUERY_WAS_CANCELLED)
            }
            _ => false,
        }
    }
}

impl Recovery {
    /// Finishes a batch, however long it takes. `own` is the batch where this process judged it; without it, it is
    /// read from Kafka again.
    ///
    /// # Errors
    /// Only when the process shuts down: the batch is then still open.
    pub async fn finish(
        &self,
        batch: Uuid,
        own: Option<&Judged>,
    ) -> Result<Finished, RecoverError> {
        let (mut pause, longest) = PAUSE;
        let mut failures = 0;
        let span = info_span!("recover", batch.id = %batch);
        loop {
            let mut longest = longest;
            let attempt = tokio::select! {
                attempt = self.attempt(batch, own).instrument(span.clone()) => attempt,
                () = self.shutdown.cancelled() => Err(RecoverError::ShuttingDown),
            };
            match attempt {
                Ok(finished) => return Ok(finished),
                Err(RecoverError::ShuttingDown) => return Err(RecoverError::ShuttingDown),
                Err(failure) => {
                    failures += 1;
                    report(batch, failures, &failure);
                    if failure.is_contention() {
                        longest = CONTENTION;
                    }
                }
            }
            // members that race must not stay in step
            let jitter = pause.mul_f64(f64::from(Uuid::new_v4().as_bytes()[0]) / 255.0);
            tokio::select! {
                () = tokio::time::sleep(pause + jitter) => pause = (pause * 2).min(longest),
                () = self.shutdown.cancelled() => return Err(RecoverError::ShuttingDown),
            }
        }
    }

    async fn attempt(&self, batch: Uuid, own: Option<&Judged>) -> Result<Finished, RecoverError> {
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
            return Ok(Finished::Written);
        }
        // who cannot finish it may not end the attempts of those who can
        check_codec(&stored.batch)?;
        // since others have left ranges out of it, it is no longer as its member judged it
        let own = own.filter(|_| omissions(&stored.batch) == 0);
        let life = self.writer.life().await?;
        let attempt = batches::next_attempt(&self.pool, batch, stored.attempt).await?;
        let Some(attempt) = attempt else {
            return Err(RecoverError::LostRace(batch));
        };
        self.meters.recoveries.add(1, &[]);
        info!(batch.id = %batch, batch.attempt = attempt, "recovering a batch");
        let turn = self
            .turn_to_settle(own.is_some(), stored.batch.decided_at)
            .await?;
        let settling = match turn {
            Some(_) => Settling::Possible,
            None => Settling::NotYet,
        };
        match own {
            Some(judged) => self.write(judged, attempt, life, settling).await?,
            None => {
                for share in Share::of(&stored.batch) {
                    let judged = self.judge_again(&stored.batch, share).await?;
                    self.write(&judged, attempt, life, settling).await?;
                }
            }
        }
        self.correct_ledger(&stored.batch).await?;
        self.close(batch).await?;
        info!(batch.id = %batch, batch.attempt = attempt, "recovered a batch");
        Ok(Finished::Written)
    }

    /// Closes a batch and opens another, see [`batches::advance`].
    ///
    /// # Errors
    /// When PostgreSQL does not do it.
    pub async fn advance(
        &self,
        close: Option<Uuid>,
        open: Option<&batches::Batch>,
    ) -> Result<batches::Opening, StoreError> {
        match batches::advance(&self.pool, self.clock.now(), close, open).await {
            Err(StoreError::LaneMoved { batch, .. }) => {
                self.close_where_lanes_stand(batch).await?;
                batches::advance(&self.pool, self.clock.now(), None, open).await
            }
            advanced => advanced,
        }
    }

    /// Closes a batch all of which is in ClickHouse.
    ///
    /// # Errors
    /// When PostgreSQL does not do it.
    pub async fn close(&self, batch: Uuid) -> Result<(), StoreError> {
        self.advance(Some(batch), None).await.map(drop)
    }

    /// The rows are there, and no lane's place in PostgreSQL can change that: what is wrong is the place. A lane that
    /// stands before the batch is brought to it by its next take-over, one behind it has had it.
    async fn close_where_lanes_stand(&self, batch: Uuid) -> Result<(), StoreError> {
        let elsewhere = rebuilt::close(&self.pool, self.clock.now(), batch).await?;
        for (lane, next) in elsewhere {
            error!(batch.id = %batch, lane = %lane, lane.next_offset = next, "a batch was closed whose lane stands elsewhere: PostgreSQL has gone back, or was changed by hand");
        }
        Ok(())
    }

    /// Facts of an open batch are settled only after it is closed, so its buckets lie behind the horizon of settling.
    /// Where they do not, PostgreSQL had forgotten the batch when the horizon was raised, and they may be settled by
    /// now: then nobody may settle while they are looked for. Of a batch that this process did not judge just now not
    /// even the horizon tells, which may have gone back together with it; but a member that sleeps while it has the
    /// turn may hold no recovery up for long.
    async fn turn_to_settle(
        &self,
        is_own: bool,
        decided_at: DateTime<Utc>,
    ) -> Result<Option<settlings::Turn>, StoreError> {
        let asked = tokio::time::Instant::now();
        loop {
            let must = rebuilt::may_be_settled(&self.pool, decided_at).await?;
            if !must && (is_own || asked.elapsed() > TURN_PATIENCE) {
                return Ok(None);
            }
            if let Some(turn) = settlings::take_turn(&self.pool).await? {
                return Ok(Some(turn));
            }
            tokio::time::sleep(TURN).await;
        }
    }

    async fn write(
        &self,
        judged: &Judged,
        attempt: i32,
        life: Uuid,
        settling: Settling,
    ) -> Result<(), RecoverError> {
        self.dead_letters.publish(judged).await?;
        Ok(self.writer.repair(judged, attempt, life, settling).await?)
    }
}

fn report(batch: Uuid, failures: u32, failure: &RecoverError) {
    let reason = chain(failure);
    match failure {
        RecoverError::LostRace(_) => {
            info!(batch.id = %batch, "another member is recovering the batch")
        }
        _ if failures >= ALARM_AFTER => {
            error!(batch.id = %batch, failures, reason, "a batch cannot be finished; it is tried again until it can");
        }
        _ => warn!(batch.id = %batch, failures, reason, "an attempt to finish a batch failed"),
    }
}

/// An error with all its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
