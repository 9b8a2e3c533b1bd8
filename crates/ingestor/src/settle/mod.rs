//! Gives waiting facts their region, once.
//!
//! ```text
//! take whole buckets ─▶ decide (one part) ─▶ regional rows into the inputs ─▶ what is left over waits on
//!                                         ─▶ regions into the domain rows ─▶ drop the buckets
//! ```
//!
//! A settling is a batch of the same protocol: stored before it is written, fenced, and finished by asking what is
//! there. What it decided is stored first, so everything after it is a function of stored rows.

mod attempt;
mod forgotten;
mod sql;

use crate::{
    recover::{RecoverError, chain},
    write::{self, WriteError, attempt_id},
};
use attempt::Attempt;
use chrono::{DateTime, SubsecRound, Utc};
use event_store::{Params, Row, Store, StoreError, fence};
use metadata_store::{
    Pool, lanes,
    settlings::{self, Buckets, Settling, State},
};
use opentelemetry::metrics::Counter;
use serde::Deserialize;
use service_runtime::clock::Clock;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

/// Buckets above are left over from an earlier settling: they are numbered by milliseconds, the others by ten seconds.
const FIRST_LEFT_OVER: u64 = 1_000_000_000_000;

/// Settles, one process at a time.
pub struct Settler {
    /// The tables.
    pub store: Store,
    /// Where settlings are promised.
    pub pool: Pool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The name of this member.
    pub owner: String,
    /// How long a fact waits for what it asks.
    pub patience: Duration,
    /// Counts facts.
    pub settled: Counter<u64>,
}

#[derive(Row, Deserialize)]
#[clickhouse(crate = "event_store::clickhouse")]
struct PartitionRow {
    table: String,
    bucket: String,
}

impl Settler {
    /// Settles again and again until shutdown.
    pub async fn run(self, interval: Duration, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = shutdown.cancelled() => return,
            }
            if let Err(failure) = self.once().await {
                warn!(reason = chain(&failure), "regions cannot be settled yet");
            }
        }
    }

    /// Finishes the settling under way, if there is one, else does the next, if it is this process's turn.
    ///
    /// # Errors
    /// Whatever went wrong; the settling stays open and is finished by whoever comes next.
    pub async fn once(&self) -> Result<(), RecoverError> {
        let Some(_turn) = settlings::take_turn(&self.pool).await? else {
            return Ok(());
        };
        // before the attempt is stored, as for every batch
        let life = write::life(&self.store).await?;
        let settling = match settlings::current(&self.pool).await? {
            Some(unfinished) => Some(self.take_over(unfinished).await?),
            None => self.begin().await?,
        };
        match settling {
            Some(settling) => self.finish(&settling, life).await,
            None => Ok(()),
        }
    }

    async fn take_over(&self, mut unfinished: Settling) -> Result<Settling, RecoverError> {
        let (id, last) = (unfinished.id, unfinished.attempt);
        let attempt = settlings::next_attempt(&self.pool, &self.owner, id, last).await?;
        unfinished.attempt = attempt.ok_or(RecoverError::LostRace(id))?;
        info!(settling.id = %id, settling.attempt = unfinished.attempt, "finishing a settling");
        let earlier: Vec<Uuid> = (1..unfinished.attempt)
            .map(|attempt| attempt_id(id, attempt))
            .collect();
        fence::fence_off(&self.store, id, &earlier)
            .await
            .map_err(WriteError::from)?;
        Ok(unfinished)
    }

    async fn begin(&self) -> Result<Option<Settling>, RecoverError> {
        let now = self.clock.now().trunc_subsecs(3);
        let horizon = settlings::raise_horizon(&self.pool, now).await?;
        if self.put_back_forgotten(horizon).await? {
            return Ok(None);
        }
        let taken = self
            .buckets(u64::try_from(horizon.bucket).unwrap_or_default())
            .await?;
        if taken.is_empty() {
            return Ok(None);
        }
        let left_over = u64::try_from(horizon.left_over).unwrap_or_default();
        let settling = Settling {
            id: Uuid::now_v7(),
            settled_at: now,
            buckets: Buckets {
                taken: taken.into_iter().collect(),
                left_over,
            },
            attempt: 1,
            state: State::Open,
        };
        let opened = settlings::open(&self.pool, &self.owner, &settling).await?;
        Ok(opened.then_some(settling))
    }

    /// The buckets that may be taken, by table.
    async fn buckets(&self, horizon: u64) -> Result<BTreeMap<String, Vec<u64>>, RecoverError> {
        let sql = "SELECT DISTINCT table, partition_id AS bucket FROM system.parts \
            WHERE database = currentDatabase() AND startsWith(table, 'waiting_') AND active AND rows > 0 \
            ORDER BY table, partition_id";
        let rows: Vec<PartitionRow> = self
            .store
            .query(sql)
            .named("waiting buckets")
            .fetch_all()
            .await
            .map_err(WriteError::from)?;
        let mut buckets: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for PartitionRow { table, bucket } in rows {
            let Ok(bucket) = bucket.parse::<u64>() else {
                continue;
            };
            if bucket <= horizon || bucket >= FIRST_LEFT_OVER {
                buckets.entry(table).or_default().push(bucket);
            }
        }
        Ok(buckets)
    }

    async fn finish(&self, settling: &Settling, life: Uuid) -> Result<(), RecoverError> {
        if settling.state == State::Open {
            Attempt::new(self, settling, life).await?.apply().await?;
            let applied = settlings::advance(
                &self.pool,
                settling.id,
                State::Open,
                State::Applied,
                self.clock.now(),
            );
            // where PostgreSQL has forgotten it, facts may come into its buckets again: they may not be dropped
            if !applied.await? {
                return Err(RecoverError::LostRace(settling.id));
            }
        }
        for (table, buckets) in &settling.buckets.taken {
            self.drop_buckets(table, buckets)
                .await
                .map_err(WriteError::from)?;
        }
        settlings::advance(
            &self.pool,
            settling.id,
            State::Applied,
            State::Done,
            self.clock.now(),
        )
        .await?;
        Ok(())
    }

    async fn drop_buckets(&self, table: &str, buckets: &[u64]) -> Result<(), StoreError> {
        let drops: Vec<String> = buckets
            .iter()
            .map(|bucket| format!("DROP PARTITION ID '{bucket}'"))
            .collect();
        let sql = format!(
            "ALTER TABLE {}.{table} {}",
            self.store.database(),
            drops.join(", ")
        );
        self.store.execute(&sql, &Params::new()).await
    }

    /// Everything that arrived before this has been read, and its patience is over.
    async fn expired(&self) -> Result<DateTime<Utc>, RecoverError> {
        let lanes = lanes::all(&self.pool).await?;
        let through = lanes
            .iter()
            .map(|lane| lane.complete_through.unwrap_or_default())
            .min();
        Ok(through.unwrap_or_default() - self.patience)
    }
}
