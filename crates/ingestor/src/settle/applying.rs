//! One attempt at a settling: decide once, then write what was decided.

use super::{
    Settler,
    portions::is_scattered,
    sql::{self, WAITING, Waiting},
};
use crate::{
    recover::RecoverError,
    share::mark,
    write::{Life, Target, Targets, Witness, WriteError, attempt_id, presence},
};
use chrono::{DateTime, NaiveDate};
use event_store::{InsertSelect, Params, Row, StoreError, fence, fence::Fence};
use metadata_store::settlings::Settling;
use serde::Deserialize;
use std::collections::BTreeSet;
use tracing::debug;

#[derive(Row, Deserialize)]
#[clickhouse(crate = "event_store::clickhouse")]
struct Span {
    first: i64,
    last: i64,
    facts: u64,
}

/// One attempt at a settling.
pub(super) struct Applying<'a> {
    settler: &'a Settler,
    settling: &'a Settling,
    fence: Fence,
}

impl<'a> Applying<'a> {
    /// The settling's present attempt, within the settler's life.
    pub(super) fn new(settler: &'a Settler, settling: &'a Settling, life: Life) -> Self {
        let fence = Fence {
            life: life.id,
            attempt: attempt_id(settling.id, settling.attempt),
        };
        Self {
            settler,
            settling,
            fence,
        }
    }

    /// Decides, and does what was decided: the rows of the regions, the domain's rows, what is left over.
    pub(super) async fn apply(&self) -> Result<(), RecoverError> {
        self.decide().await?;
        for waiting in &WAITING {
            if !waiting.buckets(&self.settling.facts).is_empty() {
                self.apply_to(waiting).await?;
            }
        }
        Ok(())
    }

    fn database(&self) -> &str {
        self.settler.store.database()
    }

    fn params(&self) -> Params {
        sql::params(self.settling)
    }

    /// Decides once: if an earlier attempt did, its word stands.
    async fn decide(&self) -> Result<(), RecoverError> {
        let decided = "SELECT count() > 0 FROM settlements WHERE batch = {batch:UUID}";
        let is_decided: Result<bool, _> = self.one(decided, self.params()).await;
        if is_decided.map_err(WriteError::from)? {
            return Ok(());
        }
        let expired = self.settler.expired().await?;
        let sql = sql::decide(&self.settling.facts, self.database(), &self.fence());
        let params = self
            .params()
            .with("expired", expired)
            .and(self.fence.params());
        Ok(self
            .insert(sql, "settlements", params)
            .await
            .map_err(WriteError::from)?)
    }

    async fn apply_to(&self, waiting: &Waiting) -> Result<(), WriteError> {
        let params = self.params();
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
        let facts = &self.settling.facts;
        if facts.left_over.is_some() && is_scattered(waiting.buckets(facts)) {
            self.keep_left_over(waiting, params).await?;
        }
        Ok(())
    }

    async fn keep_left_over(&self, waiting: &Waiting, params: Params) -> Result<(), StoreError> {
        let count = waiting.count_left_over(self.database());
        if self.one::<u64>(&count, params.clone()).await? == 0 {
            return Ok(());
        }
        let sql = waiting.keep_left_over(self.database(), &self.fence());
        self.insert(sql, waiting.table(), params.and(self.fence.params()))
            .await
    }

    fn fence(&self) -> String {
        Fence::predicate(self.database())
    }

    /// The regional rows, through the input table at first, and table by table wherever they are missing.
    async fn write_regions(&self, waiting: &Waiting, params: &Params) -> Result<(), WriteError> {
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
            let sql = waiting.insert(self.database(), &self.fence());
            return Ok(self
                .insert(sql, waiting.domain.input_table(), params)
                .await?);
        }
        let input = waiting.input(self.database(), &self.fence());
        let targets = Targets::discover(&self.settler.store).await?;
        for target in targets
            .of(waiting.domain)
            .filter(|target| is_regional(target))
        {
            let present = presence::marked_partitions(&self.settler.store, target, mark).await?;
            if !presence::expected(target, &months).is_subset(&present) {
                let present: Vec<&str> = present.iter().map(String::as_str).collect();
                let sql = target.repair(self.database(), waiting.domain, &input);
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
        let store = &self.settler.store;
        let update = store.query(&waiting.update_rows(self.database()));
        update
            .params(&params)
            .named("regions of settled rows")
            .deadline(store.config().insert_timeout.get())
            .execute()
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
        let query_id = fence::settling_query_id(self.settling.id, table, self.fence.attempt);
        let request = InsertSelect::new(sql, query_id, Vec::new()).named(table);
        self.settler
            .store
            .insert_select(request.params(params))
            .await
    }
}

/// Only tables with regional rows take part in a settling.
fn is_regional(target: &Target) -> bool {
    target.witness == Witness::Mark && target.columns.iter().any(|name| name == "scope")
}
