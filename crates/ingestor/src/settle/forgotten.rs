//! Settlings that PostgreSQL has forgotten because it went back to an older state.
//!
//! One that is over needs nothing: its facts have left the waiting tables, and nobody brings them back (a batch that is
//! repaired asks the settlements, see `write::waiting`). One that was under way has decided about facts that still
//! wait, and may have written regions: were its buckets taken by another settling, they would be written twice. So it is
//! stored again, under its id, before any other settling begins. What it took is told by what it left: the buckets of
//! facts that it settled, and of facts that it copied to its bucket for what is left over. Of its other buckets nothing
//! has happened, and the next settling may have them.

use super::{
    Settler,
    sql::{WAITING, Waiting},
};
use crate::{
    places::{FIRST_LEFT_OVER, PLACE},
    recover::RecoverError,
    write::WriteError,
};
use chrono::DateTime;
use event_store::{Params, Row, StoreError, fence};
use metadata_store::{
    rebuilt,
    settlings::{self, Facts, Horizon, Settling, Slice, State},
};
use serde::Deserialize;
use tracing::error;
use uuid::Uuid;

/// Settlings that are compared with those in ClickHouse. Of what PostgreSQL has forgotten only the last can have been
/// under way, which is later than all of these but for clocks that differ.
const COMPARED: i64 = 100;

#[derive(Row, Deserialize)]
#[clickhouse(crate = "event_store::clickhouse")]
struct Unfinished {
    id: String,
    settled_at_ms: i64,
}

/// Settlings that ClickHouse knows and PostgreSQL does not.
const UNKNOWN: &str = "SELECT batch FROM settlements WHERE kafka_topic = '' \
    AND settled_at >= {since:DateTime64(3, 'UTC')} AND batch NOT IN {known:Array(UUID)}";

impl Settler {
    /// Stores the settling that was under way when PostgreSQL went back, if there is one; the next round finishes it.
    /// Answers whether there is.
    pub(super) async fn put_back_forgotten(&self, horizon: Horizon) -> Result<bool, RecoverError> {
        let unknown = self.unknown().await?;
        let found = self.unfinished(&unknown).await.map_err(WriteError::from)?;
        let Some(found) = found else {
            return Ok(false);
        };
        let Ok(id) = found.id.parse::<Uuid>() else {
            return Ok(false);
        };
        error!(settling.id = %id, "PostgreSQL has forgotten a settling under way: it has gone back to an older state");
        // whoever was at it may not add to what is looked for now
        fence::end_all(&self.store)
            .await
            .map_err(WriteError::from)?;
        let facts = self.left_by(id).await.map_err(WriteError::from)?;
        let taken = facts.taken.iter().flat_map(|(_, taken)| taken);
        let bucket = u64::try_from(horizon.bucket).unwrap_or_default();
        // with the horizon gone back, a batch may still be adding to one of its buckets
        if taken
            .copied()
            .any(|taken| taken > bucket && taken < FIRST_LEFT_OVER)
        {
            return Ok(true);
        }
        let settling = Settling {
            id,
            settled_at: DateTime::from_timestamp_millis(found.settled_at_ms).unwrap_or_default(),
            facts,
            attempt: 1,
            state: State::Open,
        };
        settlings::open(&self.pool, &self.owner, &settling).await?;
        Ok(true)
    }

    /// The parameters of [`UNKNOWN`].
    async fn unknown(&self) -> Result<Params, RecoverError> {
        let known = rebuilt::latest_settlings(&self.pool, COMPARED).await?;
        let since = known.last().map(|(_, settled_at)| *settled_at);
        let known: Vec<Uuid> = known.into_iter().map(|(id, _)| id).collect();
        Ok(Params::new()
            .with("since", since.unwrap_or_default())
            .with("known", known.as_slice()))
    }

    /// An unknown settling that has decided about facts which still wait, or has copied facts that still wait where it
    /// found them. There is one at most; of two that copied a fact, the later one.
    async fn unfinished(&self, unknown: &Params) -> Result<Option<Unfinished>, StoreError> {
        let count = format!("SELECT count() FROM ({UNKNOWN})");
        let query = self.store.query(&count).params(unknown);
        if query.named("unknown settlings").fetch_one::<u64>().await? == 0 {
            return Ok(None);
        }
        let waiting = union("SELECT kafka_topic, kafka_partition, kafka_offset, batch");
        let sql = format!(
            "SELECT toString(batch) AS id, toUnixTimestamp64Milli(settled_at) AS settled_at_ms FROM settlements \
             WHERE kafka_topic = '' AND batch IN ({UNKNOWN}) AND batch IN ( \
                 SELECT batch FROM settlements WHERE batch IN ({UNKNOWN}) AND ({PLACE}) IN (SELECT {PLACE} FROM ({waiting})) \
                 UNION ALL \
                 SELECT batch FROM ({waiting}) \
                 WHERE ({PLACE}) IN (SELECT {PLACE} FROM ({waiting}) GROUP BY {PLACE} HAVING count() > 1)) \
             ORDER BY settled_at DESC LIMIT 1"
        );
        let query = self.store.query(&sql).params(unknown);
        query.named("forgotten settlings").fetch_optional().await
    }

    /// What is left of the facts of a settling.
    async fn left_by(&self, id: Uuid) -> Result<Facts, StoreError> {
        let params = Params::new().with("batch", id);
        let copies = union("SELECT bucket, batch");
        let sql = format!("SELECT max(bucket) FROM ({copies}) WHERE batch = {{batch:UUID}}");
        let query = self.store.query(&sql).params(&params);
        let kept: u64 = query.named("bucket of a settling").fetch_one().await?;
        let mut taken = Vec::new();
        for waiting in &WAITING {
            let query = self.store.query(&taken_of(waiting)).params(&params);
            let buckets: Vec<u64> = query.named("buckets of a settling").fetch_all().await?;
            if !buckets.is_empty() {
                taken.push((waiting.table().to_owned(), buckets));
            }
        }
        Ok(Facts {
            taken,
            slice: Slice::WHOLE,
            left_over: (kept > 0).then_some(kept),
        })
    }
}

/// All waiting tables.
fn union(select: &str) -> String {
    let tables: Vec<String> = WAITING
        .iter()
        .map(|waiting| format!("{select} FROM {}", waiting.table()))
        .collect();
    tables.join(" UNION ALL ")
}

fn taken_of(waiting: &Waiting) -> String {
    let table = waiting.table();
    format!(
        "SELECT DISTINCT bucket FROM {table} WHERE batch != {{batch:UUID}} AND ( \
             ({PLACE}) IN (SELECT {PLACE} FROM settlements WHERE batch = {{batch:UUID}} AND kafka_topic != '') \
             OR ({PLACE}) IN (SELECT {PLACE} FROM {table} WHERE batch = {{batch:UUID}})) \
         ORDER BY bucket"
    )
}
