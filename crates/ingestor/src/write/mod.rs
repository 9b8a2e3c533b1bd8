//! A judged batch becomes parts in ClickHouse.
//!
//! [`Writer::write`] is the first attempt: plain inserts. [`Writer::repair`] is every later one: it looks for
//! what is there and inserts what is not. Both run under a [`Fence`], so that an attempt that was given up
//! can never write again.

pub mod presence;
mod statement;
mod targets;
mod verdict_rows;
mod waiting;

pub(crate) use statement::{Phase, UNMARKED};
pub use targets::{Target, Targets, TargetsError, Witness};

use crate::{
    judge::{DomainInsert, Encoder, Judged},
    recover::ALARM_AFTER,
};
use event_store::{
    InsertSelect, Store, StoreError, fence, fence::Fence, fence::FenceError, native::BlockError,
    shape, shape::Seen, shape::ShapeError,
};
use futures::{StreamExt, TryStreamExt, stream};
use statement::Statements;
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;
use verdict_rows::VerdictInsert;

/// Inserts of one batch that run at the same time: while the server works at one, the next is on its way.
const CONCURRENT_INSERTS: usize = 2;
/// Attempts after which what is missing is inserted in smaller pieces: what fails so often may be too much for the
/// server. The alarm comes first.
const WHOLE_ATTEMPTS: i32 = 1 + ALARM_AFTER.cast_signed();

/// Why a batch is not written (yet).
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// ClickHouse did not do what was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The schema is not what the migrations made.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Earlier attempts could not be ended.
    #[error(transparent)]
    Fence(#[from] FenceError),
    /// Rows could not be encoded.
    #[error("cannot encode rows")]
    Encode(#[from] BlockError),
    /// The tables are not as this version expects them.
    #[error(transparent)]
    Targets(#[from] TargetsError),
    /// After a repair whose inserts all succeeded, parts are missing.
    #[error("batch {batch} is still missing in {table}")]
    StillMissing {
        /// The batch.
        batch: Uuid,
        /// The table.
        table: String,
    },
}

/// What an attempt is made within.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    /// See [`Fence::life`].
    pub id: Uuid,
    /// The schema, which has to be the same when everything is written.
    pub schema: Seen,
}

/// An attempt at a batch that was begun before. `Recovery::begin` makes it, and has ended those before it then.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// How many there have been: 2 or more, since the first is a plain [`write`](Writer::write).
    pub number: i32,
    /// That of whoever recovers the batch.
    pub life: Uuid,
}

/// Writes batches.
#[derive(Clone)]
pub struct Writer {
    store: Store,
    statements: Arc<Statements>,
    shape: Arc<shape::Watch>,
}

/// The id of an attempt, which every process derives alike.
pub fn attempt_id(batch: Uuid, attempt: i32) -> Uuid {
    Uuid::new_v5(&batch, format!("attempt {attempt}").as_bytes())
}

impl Writer {
    /// A writer into the tables of `store`'s database. `encoder` tells the columns.
    pub fn new(store: Store, encoder: &mut Encoder) -> Self {
        let statements = Statements::new(store.database(), encoder).into();
        Self {
            store,
            statements,
            shape: Arc::default(),
        }
    }

    /// The store written to.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The server's present life. An attempt is made within the one that was seen *before* the attempt was stored:
    /// whoever fences it off later does so in the same life, or in one in which it is refused for that alone.
    ///
    /// # Errors
    /// As [`schema`](Self::schema).
    pub async fn life(&self) -> Result<Life, WriteError> {
        let schema = self.schema().await?;
        let id = fence::boot_id(&self.store).await?;
        Ok(Life { id, schema })
    }

    /// The schema, as it is.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or the schema is not what the migrations made: an insert would lose what a view
    /// or a column that is gone should have taken, and nobody would see it.
    pub async fn schema(&self) -> Result<Seen, WriteError> {
        Ok(self.shape.check(&self.store).await?)
    }

    /// The first attempt, within the server's life. The verdicts go first, so that whatever is found of a batch, its
    /// ledger rows are there to tell its ranges.
    pub async fn write(&self, judged: &Judged, life: Life) -> Result<(), WriteError> {
        let fence = Fence {
            life: life.id,
            attempt: attempt_id(judged.id, 1),
        };
        for insert in verdict_rows::inserts(judged)? {
            self.insert_verdicts(judged, &insert, fence).await?;
        }
        let inserts: Vec<_> = judged
            .inserts
            .iter()
            .map(|insert| self.insert_events(judged, insert, fence))
            .collect();
        stream::iter(inserts)
            .buffer_unordered(CONCURRENT_INSERTS)
            .try_collect::<()>()
            .await?;
        // a view may have gone after the first look: a recovery then finds what it should have written missing
        Ok(self.shape.check_since(&self.store, life.schema).await?)
    }

    /// Ends the first attempt at a batch for good. Later ones end with their recoverers' lives.
    pub async fn end_first(&self, batch: Uuid) -> Result<(), WriteError> {
        Ok(fence::fence_off(&self.store, batch, attempt_id(batch, 1)).await?)
    }

    /// Inserts what is missing, and looks again.
    pub async fn repair(
        &self,
        judged: &Judged,
        Attempt { number, life }: Attempt,
        schema: Seen,
    ) -> Result<(), WriteError> {
        let fence = Fence {
            life,
            attempt: attempt_id(judged.id, number),
        };
        for insert in verdict_rows::inserts(judged)? {
            if !self.has_verdicts(judged, insert.table).await? {
                self.insert_verdicts(judged, &insert, fence).await?;
            }
        }
        let targets = Targets::discover(&self.store).await?;
        for insert in &judged.inserts {
            let targets = || targets.of(insert.domain);
            for target in targets().filter(|target| !target.is_waiting()) {
                self.repair_target(judged, insert, target, number, fence)
                    .await?;
            }
            // after the domain's rows, which may have to take their regions over
            for target in targets().filter(|target| target.is_waiting()) {
                self.repair_waiting(judged, insert, target, fence).await?;
            }
        }
        self.expect_everything(judged, &targets).await?;
        Ok(self.shape.check_since(&self.store, schema).await?)
    }

    async fn insert_events(
        &self,
        judged: &Judged,
        insert: &DomainInsert,
        fence: Fence,
    ) -> Result<(), WriteError> {
        let sql = self.statements.insert(insert.domain);
        let table = insert.domain.input_table();
        self.send(
            judged,
            insert,
            fence,
            sql,
            table,
            event_store::Params::new(),
        )
        .await
    }

    /// Inserts what is missing in a table: all of it, or a partition at a time. What lies in none of those that are
    /// expected comes with the first.
    async fn repair_target(
        &self,
        judged: &Judged,
        insert: &DomainInsert,
        target: &Target,
        attempt: i32,
        fence: Fence,
    ) -> Result<(), WriteError> {
        if attempt <= WHOLE_ATTEMPTS {
            let (table, others) = (&target.table, BTreeSet::new());
            return self
                .repair_partitions(judged, insert, target, table, &others, fence)
                .await;
        }
        let all = presence::expected(target, &insert.months);
        for partition in &all {
            let mut others = all.clone();
            others.remove(partition);
            let name = format!("{}_{partition}", target.table);
            self.repair_partitions(judged, insert, target, &name, &others, fence)
                .await?;
        }
        Ok(())
    }

    /// Inserts what is missing in a table, but for `others`. The query has this `name`.
    async fn repair_partitions(
        &self,
        judged: &Judged,
        insert: &DomainInsert,
        target: &Target,
        name: &str,
        others: &BTreeSet<String>,
        fence: Fence,
    ) -> Result<(), WriteError> {
        let present = presence::partitions(&self.store, target, judged, insert.domain).await?;
        if presence::is_complete(target, insert, &present) {
            return Ok(());
        }
        let left_out: Vec<&str> = present.union(others).map(String::as_str).collect();
        let params = event_store::Params::new().with("present", left_out.as_slice());
        let sql = self.statements.repair(insert.domain, target);
        self.send(judged, insert, fence, sql, name, params).await
    }

    async fn send(
        &self,
        judged: &Judged,
        insert: &DomainInsert,
        fence: Fence,
        sql: String,
        table: &str,
        params: event_store::Params,
    ) -> Result<(), WriteError> {
        let query_id = fence::query_id(judged.id, table, fence.attempt);
        let params = params
            .and(fence.params())
            .with("batch", judged.id)
            .with("mark", judged.share.mark(judged.id, insert.domain))
            .with("decided_at", judged.decided_at);
        let request = InsertSelect::new(sql, query_id, insert.body.clone());
        let request = request.named(insert.domain.input_table()).params(params);
        Ok(self.store.insert_select(request).await?)
    }

    async fn insert_verdicts(
        &self,
        judged: &Judged,
        insert: &VerdictInsert,
        fence: Fence,
    ) -> Result<(), WriteError> {
        let query_id = fence::query_id(judged.id, insert.table, fence.attempt);
        let sql = insert.statement(self.store.database());
        let params = fence
            .params()
            .with("batch", judged.id)
            .with("decided_at", judged.decided_at);
        let request = InsertSelect::new(sql, query_id, insert.body.clone());
        let request = request.named(insert.table).params(params);
        Ok(self.store.insert_select(request).await?)
    }

    async fn has_verdicts(&self, judged: &Judged, table: &str) -> Result<bool, StoreError> {
        let lanes = judged.ranges.iter().map(|range| &range.lane);
        let (condition, params) = presence::of_lanes(judged.id, lanes);
        let sql = format!(
            "SELECT count() > 0 FROM {}.{table} WHERE {condition}",
            self.store.database()
        );
        self.store
            .query(&sql)
            .params(&params)
            .named("presence of verdicts")
            .fetch_one()
            .await
    }

    async fn expect_everything(
        &self,
        judged: &Judged,
        targets: &Targets,
    ) -> Result<(), WriteError> {
        for insert in verdict_rows::inserts(judged)? {
            if !self.has_verdicts(judged, insert.table).await? {
                return Err(WriteError::StillMissing {
                    batch: judged.id,
                    table: insert.table.to_owned(),
                });
            }
        }
        for insert in &judged.inserts {
            for target in targets
                .of(insert.domain)
                .filter(|target| target.witness == Witness::Mark)
            {
                let present =
                    presence::partitions(&self.store, target, judged, insert.domain).await?;
                if !presence::is_complete(target, insert, &present) {
                    return Err(WriteError::StillMissing {
                        batch: judged.id,
                        table: target.table.clone(),
                    });
                }
            }
        }
        Ok(())
    }
}
