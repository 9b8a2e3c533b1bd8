//! What the ledger in ClickHouse tells of batches.

use super::RewoundError;
use crate::{judge::StoredLimits, recover::RecoverError, write::WriteError};
use chrono::{DateTime, Utc};
use event_store::{Params, Row, Store, StoreError};
use metadata_store::{
    LaneId,
    batches::{Batch, Gap, Parked, Range, Verdicts},
};
use serde::Deserialize;
use shared_schema::AgeLimits;
use uuid::Uuid;

/// Batches that are put back between two looks at where the lanes stand.
pub(super) const BATCHES_AT_ONCE: usize = 100;

/// A range of a batch, in the order of its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) batch: Uuid,
    /// Milliseconds since 1970.
    pub(super) decided_at: i64,
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Entry {
    /// Whether the range was given up by its batch.
    pub(super) fn is_parked(&self, parked: &[Parked]) -> bool {
        let mut parked = parked.iter();
        parked.any(|parked| parked.is_of(self.batch, self.first))
    }
}

/// The entries without parked ranges that a younger one covers: it is what was decided about them.
pub(super) fn valid(entries: &[Entry], parked: &[Parked]) -> Vec<Entry> {
    let is_covered = |entry: &Entry| {
        entries.iter().any(|other| {
            other.decided_at > entry.decided_at
                && other.first == entry.first
                && other.last >= entry.last
        })
    };
    let mut valid = entries.to_vec();
    valid.retain(|entry| !(entry.is_parked(parked) && is_covered(entry)));
    valid
}

#[derive(Row, Deserialize)]
#[clickhouse(crate = "event_store::clickhouse")]
struct EntryRow {
    id: String,
    decided_at_ms: i64,
    first: i64,
    last: i64,
}

/// The ranges of a lane that reach to `next` or beyond, from the one that holds it on; a bounded number.
///
/// Ranges of a lane follow each other, except where an operator decided about one: what lies before the last range that
/// begins at `next` or before is over.
pub(super) async fn beyond(
    store: &Store,
    lane: &LaneId,
    next: i64,
) -> Result<Vec<Entry>, StoreError> {
    let of_lane = "kafka_topic = {topic:String} AND kafka_partition = {partition:UInt32}";
    let sql = format!(
        "SELECT toString(batch) AS id, toUnixTimestamp64Milli(decided_at) AS decided_at_ms, \
             toInt64(first_offset) AS first, toInt64(last_offset) AS last \
         FROM ingest_ledger WHERE {of_lane} AND last_offset >= {{next:UInt64}} AND first_offset >= ( \
             SELECT max(first_offset) FROM ( \
                 SELECT first_offset FROM ingest_ledger WHERE {of_lane} AND first_offset <= {{next:UInt64}} \
                 ORDER BY kafka_topic DESC, kafka_partition DESC, first_offset DESC LIMIT 1)) \
         ORDER BY first_offset, decided_at DESC LIMIT {BATCHES_AT_ONCE}"
    );
    let params = Params::new()
        .with("topic", &lane.topic)
        .with("partition", lane.partition)
        .with("next", next.max(0));
    let query = store.query(&sql).params(&params);
    let rows: Vec<EntryRow> = query.named("the ledger beyond a lane").fetch_all().await?;
    let entry = |row: EntryRow| {
        Some(Entry {
            batch: row.id.parse().ok()?,
            decided_at: row.decided_at_ms,
            first: row.first,
            last: row.last,
        })
    };
    Ok(rows.into_iter().filter_map(entry).collect())
}

/// The last offset of a lane from `next` on that was decided about before `time`.
pub(crate) async fn last_before(
    store: &Store,
    lane: &LaneId,
    next: i64,
    time: DateTime<Utc>,
) -> Result<i64, StoreError> {
    let sql = "SELECT toInt64(max(last_offset)) FROM ingest_ledger \
        WHERE kafka_topic = {topic:String} AND kafka_partition = {partition:UInt32} \
          AND last_offset >= {next:UInt64} AND decided_at < {time:DateTime64(3, 'UTC')}";
    let params = Params::new()
        .with("topic", &lane.topic)
        .with("partition", lane.partition)
        .with("next", next.max(0))
        .with("time", time);
    let query = store.query(sql).params(&params);
    query
        .named("the old end of a lane's ledger")
        .fetch_one()
        .await
}

#[derive(Row, Deserialize)]
#[clickhouse(crate = "event_store::clickhouse")]
struct RangeRow {
    id: String,
    decided_at_ms: i64,
    topic: String,
    partition: u32,
    first: i64,
    last: i64,
    records: i64,
    codec: i64,
    dedup_window: i64,
    age_limits: String,
    hash: i64,
    verdicts: String,
}

/// The intents of these batches, oldest first.
pub(super) async fn batches(store: &Store, ids: &[Uuid]) -> Result<Vec<Batch>, RecoverError> {
    let sql = "SELECT toString(batch) AS id, toUnixTimestamp64Milli(decided_at) AS decided_at_ms, \
            toString(kafka_topic) AS topic, kafka_partition AS partition, \
            toInt64(first_offset) AS first, toInt64(last_offset) AS last, \
            toInt64(accepted + duplicate + dead_lettered) AS records, \
            codec, dedup_window, age_limits, hash, verdicts \
        FROM ingest_ledger WHERE batch IN {batches:Array(UUID)} \
        ORDER BY decided_at, batch, kafka_topic, kafka_partition";
    let params = Params::new().with("batches", ids);
    let query = store.query(sql).params(&params);
    let rows: Vec<RangeRow> = query
        .named("batches in the ledger")
        .fetch_all()
        .await
        .map_err(WriteError::from)?;
    let mut batches: Vec<Batch> = Vec::new();
    for row in rows {
        let id = row.batch()?;
        if batches.last().is_none_or(|last| last.id != id) {
            batches.push(row.intent(id)?);
        }
        let range = row.range(store, id).await?;
        if let Some(batch) = batches.last_mut() {
            batch.ranges.push(range);
        }
    }
    Ok(batches)
}

impl RangeRow {
    fn batch(&self) -> Result<Uuid, RewoundError> {
        self.id.parse().map_err(|error: uuid::Error| {
            let detail = error.to_string();
            unreadable("the id", Uuid::nil(), detail)
        })
    }

    /// The batch, still without its ranges.
    fn intent(&self, id: Uuid) -> Result<Batch, RewoundError> {
        let age_limits = match self.age_limits.as_str() {
            // from before the ledger kept them
            "" => serde_json::json!(StoredLimits::from(AgeLimits::default())),
            kept => serde_json::from_str(kept)
                .map_err(|error| unreadable("the age limits", id, error.to_string()))?,
        };
        let codec = i32::try_from(self.codec)
            .map_err(|error| unreadable("the codec", id, error.to_string()))?;
        Ok(Batch {
            id,
            owner: "put back from the ledger".to_owned(),
            codec,
            decided_at: DateTime::<Utc>::from_timestamp_millis(self.decided_at_ms)
                .ok_or_else(|| unreadable("the time", id, self.decided_at_ms.to_string()))?,
            dedup_window: self.dedup_window,
            age_limits,
            touched: None,
            ranges: Vec::new(),
        })
    }

    async fn range(self, store: &Store, id: Uuid) -> Result<Range, RecoverError> {
        let partition = i32::try_from(self.partition)
            .map_err(|error| unreadable("the partition", id, error.to_string()))?;
        let lane = LaneId {
            topic: self.topic,
            partition,
        };
        let verdicts = match self.verdicts.as_str() {
            "" => verdicts_of(store, id, &lane)
                .await
                .map_err(WriteError::from)?,
            kept => serde_json::from_str(kept)
                .map_err(|error| unreadable("the verdicts", id, error.to_string()))?,
        };
        Ok(Range {
            lane,
            epoch: 0,
            lo: self.first,
            hi: self.last,
            records: self.records,
            hash: self.hash,
            verdicts,
            parked: false,
            omission: None,
        })
    }
}

fn unreadable(what: &'static str, batch: Uuid, detail: String) -> RewoundError {
    RewoundError::Unreadable {
        what,
        batch,
        detail,
    }
}

#[derive(Row, Deserialize)]
#[clickhouse(crate = "event_store::clickhouse")]
struct PairRow {
    offset: i64,
    other: i64,
    cause: String,
}

/// The verdicts of a range from before the ledger kept them, from their own tables.
async fn verdicts_of(store: &Store, id: Uuid, lane: &LaneId) -> Result<Verdicts, StoreError> {
    let select = async |columns: &str, from: &str, order: &str| {
        let sql = format!(
            "SELECT {columns} FROM {from} batch = {{batch:UUID}} AND kafka_topic = {{topic:String}} \
             AND kafka_partition = {{partition:UInt32}} ORDER BY {order}"
        );
        let params = Params::new()
            .with("batch", id)
            .with("topic", &lane.topic)
            .with("partition", lane.partition);
        let query = store
            .query(&sql)
            .params(&params)
            .named("verdicts of a range");
        query.fetch_all::<PairRow>().await
    };
    let pairs = |rows: Vec<PairRow>| {
        rows.into_iter()
            .map(|row| (row.offset, row.other))
            .collect()
    };
    let duplicates = select(
        "toInt64(kafka_offset) AS offset, toInt64(repeats_offset) AS other, '' AS cause",
        "duplicates WHERE",
        "kafka_offset",
    );
    let reused = select(
        "toInt64(kafka_offset) AS offset, toInt64(extract(detail, '^offset ([0-9]+) has the same')) AS other, '' AS cause",
        "dead_letters WHERE reason = 'id_reused' AND",
        "kafka_offset",
    );
    let gaps = select(
        "toInt64(first_offset) AS offset, toInt64(last_offset) AS other, toString(cause) AS cause",
        "ingest_gaps WHERE",
        "first_offset",
    );
    let gap = |row: PairRow| Gap {
        lo: row.offset,
        hi: row.other,
        cause: row.cause,
    };
    Ok(Verdicts {
        duplicates: pairs(duplicates.await?),
        reused_ids: pairs(reused.await?),
        gaps: gaps.await?.into_iter().map(gap).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(batch: u128, decided_at: i64, first: i64, last: i64) -> Entry {
        Entry {
            batch: Uuid::from_u128(batch),
            decided_at,
            first,
            last,
        }
    }

    #[test]
    fn a_parked_range_is_left_to_the_younger_one_that_covers_it() {
        let (parked, declared, next) = (entry(1, 7, 5, 9), entry(2, 8, 5, 9), entry(3, 8, 10, 12));
        let given_up = [Parked {
            batch: parked.batch,
            lo: parked.first,
            hi: parked.last,
        }];
        let both = [declared, parked, next];
        assert_eq!(valid(&both, &given_up), [declared, next]);
        assert_eq!(valid(&both, &[]), both);
        let alone = [parked, next];
        assert_eq!(valid(&alone, &given_up), alone);
        let shorter = [entry(2, 8, 5, 8), parked];
        assert_eq!(valid(&shorter, &given_up), shorter);
    }
}
