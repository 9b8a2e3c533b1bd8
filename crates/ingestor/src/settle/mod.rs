//! Gives waiting facts their region, once.
//!
//! ```text
//! take whole buckets ─▶ decide (one part) ─▶ regional rows into the inputs ─▶ what is left over waits on
//!                                         ─▶ regions into the domain rows ─▶ drop the buckets
//! ```
//!
//! A settling is a batch of the same protocol: stored before it is written, fenced, and finished by asking what is
//! there. What it decided is stored first, so everything after it is a function of stored rows.

mod sql;

use crate::{
    recover::{RecoverError, chain},
    write::{Target, Targets, Witness, WriteError, attempt_id, mark, presence},
};
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use event_store::{InsertSelect, Params, Row, Store, StoreError, fence, fence::Fence};
use metadata_store::{
    Pool, lanes,
    settlings::{self, Buckets, Settling, State},
};
use opentelemetry::metrics::Counter;
use serde::Deserialize;
use service_runtime::clock::Clock;
use sql::{WAITING, Waiting};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
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

#[derive(Row, Deserialize)]
#[clickhouse(crate = "event_store::clickhouse")]
struct Span {
    first: i64,
    last: i64,
    facts: u64,
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
        // before the attempt is stored, as for every batch: see `Writer::life`
        let life = fence::boot_id(&self.store)
            .await
            .map_err(WriteError::from)?;
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
        let attempt = settlings::next_attempt(&self.pool, id, last, self.clock.now()).await?;
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
            Run::new(self, settling, life).await?.apply().await?;
            settlings::advance(
                &self.pool,
                settling.id,
                State::Open,
                State::Applied,
                self.clock.now(),
            )
            .await?;
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

/// One attempt at a settling.
struct Run<'a> {
    settler: &'a Settler,
    settling: &'a Settling,
    fence: Fence,
    targets: Targets,
}

impl<'a> Run<'a> {
    async fn new(
        settler: &'a Settler,
        settling: &'a Settling,
        life: Uuid,
    ) -> Result<Self, RecoverError> {
        let fence = Fence {
            boot: life,
            attempt: attempt_id(settling.id, settling.attempt),
        };
        let targets = Targets::discover(&settler.store)
            .await
            .map_err(WriteError::from)?;
        Ok(Self {
            settler,
            settling,
            fence,
            targets,
        })
    }

    async fn apply(&self) -> Result<(), RecoverError> {
        self.decide().await?;
        for waiting in &WAITING {
            let buckets = self.buckets(waiting);
            if !buckets.is_empty() {
                self.apply_to(waiting, buckets)
                    .await
                    .map_err(WriteError::from)?;
            }
        }
        Ok(())
    }

    fn database(&self) -> &str {
        self.settler.store.database()
    }

    fn buckets(&self, waiting: &Waiting) -> &[u64] {
        let table = waiting.table();
        let taken = self
            .settling
            .buckets
            .taken
            .iter()
            .find(|(of, _)| *of == table);
        taken.map_or(&[], |(_, buckets)| buckets.as_slice())
    }

    fn params(&self, buckets: &[u64]) -> Params {
        Params::new()
            .with("batch", self.settling.id)
            .with("settled_at", self.settling.settled_at)
            .with("left_over", self.settling.buckets.left_over)
            .with("buckets", buckets)
    }

    /// Decides once: if an earlier attempt did, its word stands.
    async fn decide(&self) -> Result<(), RecoverError> {
        let decided = "SELECT count() > 0 FROM settlements WHERE batch = {batch:UUID}";
        if self
            .one::<bool>(decided, self.params(&[]))
            .await
            .map_err(WriteError::from)?
        {
            return Ok(());
        }
        let expired = self.settler.expired().await?;
        let all: Vec<u64> = self
            .settling
            .buckets
            .taken
            .iter()
            .flat_map(|(_, buckets)| buckets.clone())
            .collect();
        let sql = sql::decide(self.database(), &Fence::predicate(self.database()));
        let params = self
            .params(&all)
            .with("expired", expired)
            .and(self.fence.params());
        Ok(self
            .insert(sql, "settlements", params)
            .await
            .map_err(WriteError::from)?)
    }

    async fn apply_to(&self, waiting: &Waiting, buckets: &[u64]) -> Result<(), StoreError> {
        let params = self.params(buckets);
        let span: Span = self
            .one(&waiting.span(self.database()), params.clone())
            .await?;
        if span.facts > 0 {
            self.write_regions(waiting, &params).await?;
            self.update_rows(waiting, &params, &span).await?;
            debug!(
                domain = waiting.domain.as_str(),
                facts = span.facts,
                "settled facts"
            );
            self.settler.settled.add(span.facts, &[]);
        }
        let left_over: u64 = self
            .one(&waiting.count_left_over(self.database()), params.clone())
            .await?;
        let kept = format!(
            "SELECT count() FROM {} WHERE bucket = {{left_over:UInt64}}",
            waiting.table()
        );
        if left_over > 0 && self.one::<u64>(&kept, params.clone()).await? == 0 {
            let sql = format!(
                "{} AND {}",
                waiting.keep_left_over(self.database()),
                Fence::predicate(self.database())
            );
            self.insert(sql, &waiting.table(), params.and(self.fence.params()))
                .await?;
        }
        Ok(())
    }

    /// The regional rows, through the input table at first, and table by table wherever they are missing.
    async fn write_regions(&self, waiting: &Waiting, params: &Params) -> Result<(), StoreError> {
        let months = self.months(waiting, params).await?;
        let firsts: Vec<String> = months
            .iter()
            .map(|month| format!("{month} 00:00:00.000"))
            .collect();
        let firsts: Vec<&str> = firsts.iter().map(String::as_str).collect();
        let mark = mark(self.settling.id, waiting.domain);
        let params = params
            .clone()
            .with("mark", mark)
            .with("months", firsts.as_slice())
            .and(self.fence.params());
        if self.settling.attempt == 1 {
            let sql = waiting.insert(self.database(), &Fence::predicate(self.database()));
            let table = format!("in_{}", waiting.domain.as_str());
            return self.insert(sql, &table, params).await;
        }
        let source = waiting.source(self.database(), &Fence::predicate(self.database()));
        for target in self
            .targets
            .of(waiting.domain)
            .filter(|target| is_regional(target))
        {
            let present = presence::marked_partitions(&self.settler.store, target, mark).await?;
            if !presence::expected(target, &months).is_subset(&present) {
                let present: Vec<&str> = present.iter().map(String::as_str).collect();
                let sql = target.repair(self.database(), waiting.domain, &source);
                self.insert(
                    sql,
                    &target.table,
                    params.clone().with("present", present.as_slice()),
                )
                .await?;
            }
        }
        Ok(())
    }

    async fn months(
        &self,
        waiting: &Waiting,
        params: &Params,
    ) -> Result<BTreeSet<NaiveDate>, StoreError> {
        let sql = waiting.months(self.database());
        let months: Vec<u32> = self
            .settler
            .store
            .query(&sql)
            .params(params)
            .named("months of settled facts")
            .fetch_all()
            .await?;
        let first =
            |month: u32| NaiveDate::from_ymd_opt(i32::try_from(month / 100).ok()?, month % 100, 1);
        Ok(months.into_iter().filter_map(first).collect())
    }

    async fn update_rows(
        &self,
        waiting: &Waiting,
        params: &Params,
        span: &Span,
    ) -> Result<(), StoreError> {
        let time = |ms| DateTime::from_timestamp_millis(ms).unwrap_or_default();
        let params = params
            .clone()
            .with("first", time(span.first))
            .with("last", time(span.last));
        self.settler
            .store
            .execute(&waiting.update_rows(self.database()), &params)
            .await
    }

    async fn one<T: event_store::clickhouse::RowOwned + event_store::clickhouse::RowRead>(
        &self,
        sql: &str,
        params: Params,
    ) -> Result<T, StoreError> {
        self.settler
            .store
            .query(sql)
            .params(&params)
            .named("settling")
            .fetch_one()
            .await
    }

    async fn insert(&self, sql: String, table: &str, params: Params) -> Result<(), StoreError> {
        let query_id = fence::query_id(self.settling.id, table, self.fence.attempt);
        let request = InsertSelect::new(sql, query_id, Vec::new()).params(params);
        self.settler.store.insert_select(request).await
    }
}

/// Only tables with regional rows take part in a settling.
fn is_regional(target: &Target) -> bool {
    target.witness == Witness::Mark && target.columns.iter().any(|name| name == "scope")
}
