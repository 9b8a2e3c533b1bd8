//! Gives waiting facts their region, once.
//!
//! ```text
//! take a portion ─▶ decide (one part) ─▶ regional rows into the inputs ─▶ regions into the domain rows
//!                ─▶ (bring together what goes on waiting) ─▶ remove what waits no more
//! ```
//!
//! A settling is a batch of the same protocol: stored before it is written, fenced, and finished by asking what is
//! there. What it decided is stored first, so everything after it is a function of stored rows. It takes no more facts
//! than fit into memory at once, and nothing of which nothing new is known; one follows the other until there is no more.
//!
//! A fact is removed by its place and the settling that settled or moved it, never with all that is in its bucket. So
//! whoever removes late, having slept, removes what may go and nothing else.

mod applying;
mod forgotten;
mod portions;
mod remove;
mod sql;

use crate::{
    recover::RecoverError,
    ticks,
    write::{Life, WriteError},
};
use applying::Applying;
use chrono::{DateTime, SubsecRound, Utc};
use event_store::{Store, StoreError, fence, shape};
use metadata_store::{
    Pool, lanes,
    settlings::{self, Facts, Settling, State},
};
use opentelemetry::metrics::Counter;
use portions::Portion;
use service_runtime::{clock::Clock, telemetry::chain};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info, info_span, warn};
use uuid::Uuid;

/// Between two settlings.
const PAUSE: Duration = Duration::from_millis(250);

/// Settles, one process at a time.
pub(crate) struct Settler {
    /// The tables.
    pub(crate) store: Store,
    /// Where settlings are promised.
    pub(crate) pool: Pool,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// The name of this member.
    pub(crate) owner: String,
    /// How long a fact waits for what it asks.
    pub(crate) patience: Duration,
    /// Waiting facts that one settling looks at.
    pub(crate) max_facts: u64,
    /// Looks whether the schema takes what is written.
    pub(crate) shape: shape::Watch,
    /// Counts facts.
    pub(crate) settled: Counter<u64>,
}

/// What is still to be looked at since the last tick; before the first look, nothing is known of it.
type Round = Option<VecDeque<Portion>>;

impl Settler {
    /// Settles again and again until shutdown.
    pub(crate) async fn run(self, interval: Duration, shutdown: CancellationToken) {
        let mut ticks = ticks::every(interval);
        while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(failure) = self.round(&shutdown).await {
                warn!(reason = chain(&failure), "regions cannot be settled yet");
            }
        }
    }

    /// Settles what can be settled now, one portion after the other.
    async fn round(&self, shutdown: &CancellationToken) -> Result<(), RecoverError> {
        let mut round = None;
        while self.once(&mut round).await? {
            if shutdown.run_until_cancelled(sleep(PAUSE)).await.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Finishes the settling under way, if there is one, else does the next, if it is this process's turn. Answers
    /// whether there may be more to do.
    ///
    /// When it fails the settling stays open, and is finished by whoever comes next.
    async fn once(&self, round: &mut Round) -> Result<bool, RecoverError> {
        let Some(_turn) = settlings::take_turn(&self.pool).await? else {
            return Ok(false);
        };
        let settling = match settlings::current(&self.pool).await? {
            Some(unfinished) => Some(self.take_over(unfinished).await?),
            None => self.begin(round).await?,
        };
        let Some((settling, life)) = settling else {
            return Ok(false);
        };
        let span =
            info_span!("settle", settling.id = %settling.id, settling.attempt = settling.attempt);
        self.finish(&settling, life).instrument(span).await?;
        Ok(true)
    }

    /// Lets no other settler write any more, known or forgotten: one that PostgreSQL forgot before it decided, or while
    /// it moved what is left over, could else do so at any time. As for every batch, this comes before the attempt is
    /// stored, after a look whether the schema takes what is written.
    async fn live(&self) -> Result<Life, WriteError> {
        let schema = self.shape.check(&self.store).await?;
        let id = fence::settlers_life(&self.store).await?;
        Ok(Life { id, schema })
    }

    async fn take_over(&self, mut unfinished: Settling) -> Result<(Settling, Life), RecoverError> {
        let life = self.live().await?;
        let (id, last) = (unfinished.id, unfinished.attempt);
        let attempt = settlings::next_attempt(&self.pool, &self.owner, id, last).await?;
        unfinished.attempt = attempt.ok_or(RecoverError::LostRace(id))?;
        info!(settling.id = %id, settling.attempt = unfinished.attempt, "finishing a settling");
        Ok((unfinished, life))
    }

    /// Promises to settle the next portion about which there is something to do.
    async fn begin(&self, round: &mut Round) -> Result<Option<(Settling, Life)>, RecoverError> {
        let horizon = settlings::raise_horizon(&self.pool, self.clock.now()).await?;
        if self.put_back_forgotten(horizon).await? {
            return Ok(None);
        }
        let portions = match round {
            Some(portions) => portions,
            None => round.insert(self.portions(horizon).await?),
        };
        while let Some(portion) = portions.pop_front() {
            let id = Uuid::now_v7();
            let facts = portion.promise(id);
            if facts.left_over.is_some() || self.has_answers(&facts).await? {
                let life = self.live().await?;
                // again: until then, one that is forgotten may have written
                if self.put_back_forgotten(horizon).await? {
                    return Ok(None);
                }
                let settled_at = self
                    .settled_at(horizon.now)
                    .await
                    .map_err(WriteError::from)?;
                let settling = self.open(id, settled_at, facts).await?;
                return Ok(settling.map(|settling| (settling, life)));
            }
        }
        Ok(None)
    }

    /// The time of a settling that begins now: later than that of every other, whosever clock those went by. So a time
    /// tells which of them an answer saw, for good (`analytics::cells::Pin`).
    async fn settled_at(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>, StoreError> {
        let last = "SELECT toUnixTimestamp64Milli(max(settled_at)) FROM settlements";
        let query = self.store.query(last).named("last settling");
        let last: i64 = query.fetch_one().await?;
        let now = now.trunc_subsecs(3);
        let next = DateTime::from_timestamp_millis(last.saturating_add(1));
        Ok(next.map_or(now, |next| next.max(now)))
    }

    async fn open(
        &self,
        id: Uuid,
        settled_at: DateTime<Utc>,
        facts: Facts,
    ) -> Result<Option<Settling>, RecoverError> {
        let settling = Settling {
            id,
            settled_at,
            facts,
            attempt: 1,
            state: State::Open,
        };
        let opened = settlings::open(&self.pool, &self.owner, &settling).await?;
        Ok(opened.then_some(settling))
    }

    async fn finish(&self, settling: &Settling, life: Life) -> Result<(), RecoverError> {
        if settling.state == State::Open {
            Applying::new(self, settling, life).apply().await?;
            // a view may have gone meanwhile: the next attempt finds what it should have written missing
            self.shape
                .check_since(&self.store, life.schema)
                .await
                .map_err(WriteError::from)?;
            // one that PostgreSQL has forgotten is found by the facts that it left
            self.advance(settling.id, State::Open, State::Applied)
                .await?;
        }
        self.remove(settling).await.map_err(WriteError::from)?;
        self.advance(settling.id, State::Applied, State::Done).await
    }

    async fn advance(&self, id: Uuid, from: State, to: State) -> Result<(), RecoverError> {
        let now = self.clock.now();
        match settlings::advance(&self.pool, id, from, to, now).await? {
            true => Ok(()),
            false => Err(RecoverError::LostRace(id)),
        }
    }

    /// Everything that arrived before this has been read, and its patience is over.
    async fn expired(&self) -> Result<DateTime<Utc>, RecoverError> {
        let lanes = lanes::all(&self.pool).await?;
        Ok(lanes::complete_through(&lanes).unwrap_or_default() - self.patience)
    }
}
