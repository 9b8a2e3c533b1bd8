//! What ClickHouse holds of a range of offsets.

use super::bounds::Written;
use event_store::{Params, Row, Store, StoreError};
use metadata_store::LaneId;
use serde::Deserialize;
use uuid::Uuid;

const OF_LANE: &str = "kafka_topic = {topic:String} AND kafka_partition = {partition:UInt32}";

/// Offsets of one lane, both ends included.
#[derive(Debug, Clone)]
pub(super) struct Offsets<'a> {
    /// Which lane.
    pub(super) lane: &'a LaneId,
    /// First offset.
    pub(super) lo: i64,
    /// Last offset.
    pub(super) hi: i64,
}

impl Offsets<'_> {
    fn params(&self) -> Params {
        Params::new()
            .with("topic", &self.lane.topic)
            .with("partition", self.lane.partition)
            .with("lo", self.lo.max(0))
            .with("hi", self.hi.max(0))
    }
}

#[derive(Row, Deserialize)]
#[clickhouse(crate = "event_store::clickhouse")]
struct WrittenRow {
    id: String,
    first: i64,
    last: i64,
}

/// What the ledger tells of a lane from `next` on, in the order of its offsets.
pub(super) async fn written(
    store: &Store,
    lane: &LaneId,
    next: i64,
) -> Result<Vec<Written>, StoreError> {
    let sql = format!(
        "SELECT toString(batch) AS id, toInt64(first_offset) AS first, toInt64(last_offset) AS last \
         FROM ingest_ledger WHERE {OF_LANE} AND last_offset >= {{lo:UInt64}} ORDER BY first_offset, decided_at LIMIT 1000"
    );
    let from = Offsets {
        lane,
        lo: next,
        hi: i64::MAX,
    };
    let query = store.query(&sql).params(&from.params());
    let rows: Vec<WrittenRow> = query.named("the ledger of a lane").fetch_all().await?;
    let written = |row: WrittenRow| {
        Some(Written {
            batch: row.id.parse().ok()?,
            first: row.first,
            last: row.last,
        })
    };
    Ok(rows.into_iter().filter_map(written).collect())
}

/// The offsets that have a verdict, as ranges in order.
pub(super) async fn verdicts(
    store: &Store,
    offsets: &Offsets<'_>,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let in_range = format!("{OF_LANE} AND kafka_offset BETWEEN {{lo:UInt64}} AND {{hi:UInt64}}");
    let single = ["events_raw", "duplicates", "dead_letters"]
        .map(|table| format!("SELECT toInt64(kafka_offset) AS at FROM {table} WHERE {in_range}"))
        .join(" UNION ALL ");
    // neighbours have the same difference between offset and place in the order
    let sql = format!(
        "SELECT min(at) AS first, max(at) AS last \
         FROM (SELECT at, at - row_number() OVER (ORDER BY at) AS island FROM (SELECT DISTINCT at FROM ({single}))) \
         GROUP BY island \
         UNION ALL SELECT toInt64(first_offset) AS first, toInt64(last_offset) AS last FROM ingest_gaps \
         WHERE {OF_LANE} AND last_offset >= {{lo:UInt64}} AND first_offset <= {{hi:UInt64}}"
    );
    let query = store.query(&sql).params(&offsets.params());
    let mut ranges: Vec<(i64, i64)> = query.named("offsets with a verdict").fetch_all().await?;
    ranges.sort_unstable();
    Ok(ranges)
}

/// The offsets of `[lo, hi]` that are in none of the ranges, which are in order.
pub(super) fn without(lo: i64, hi: i64, ranges: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut rest = Vec::new();
    let mut next = lo;
    for &(first, last) in ranges {
        if first > next {
            rest.push((next, (first - 1).min(hi)));
        }
        next = next.max(last + 1);
    }
    if next <= hi {
        rest.push((next, hi));
    }
    rest
}

/// How many rows of the range every table has that names places; tables without any are left out.
pub(super) async fn rows(
    store: &Store,
    offsets: &Offsets<'_>,
) -> Result<Vec<(String, u64)>, StoreError> {
    let sql = "SELECT name FROM system.tables WHERE database = currentDatabase() AND endsWith(engine, 'MergeTree') \
            AND name IN (SELECT table FROM system.columns WHERE database = currentDatabase() \
                AND name IN ('kafka_topic', 'kafka_partition', 'kafka_offset') GROUP BY table HAVING count() = 3) \
        ORDER BY name";
    let query = store.query(sql).named("tables that name places");
    let tables: Vec<String> = query.fetch_all().await?;
    let mut rows = Vec::new();
    for table in tables {
        let sql = format!(
            "SELECT count() FROM {table} WHERE {OF_LANE} AND kafka_offset BETWEEN {{lo:UInt64}} AND {{hi:UInt64}}"
        );
        let query = store.query(&sql).params(&offsets.params());
        let count: u64 = query.named("rows of a range").fetch_one().await?;
        if count > 0 {
            rows.push((table, count));
        }
    }
    Ok(rows)
}

/// Lets the ledger say of a range that was written in part what is stored of it: it was told before the rows were
/// written. The sum over the ledger would be wrong for ever.
pub(super) async fn tell_what_is_stored(
    store: &Store,
    lane: &LaneId,
    batch: Uuid,
) -> Result<(), StoreError> {
    let params = Params::new()
        .with("topic", &lane.topic)
        .with("partition", lane.partition)
        .with("batch", batch);
    let of_batch = format!("{OF_LANE} AND batch = {{batch:UUID}}");
    let sum = |what: &str, table: &str| {
        format!("ifNull((SELECT {what} FROM {table} WHERE {of_batch}), 0)")
    };
    let sql = format!(
        "SELECT {}, {}, {}, {}",
        sum("count()", "events_raw"),
        sum("count()", "duplicates"),
        sum("count()", "dead_letters"),
        sum(
            "toUInt64(sum(last_offset - first_offset + 1))",
            "ingest_gaps"
        ),
    );
    let query = store.query(&sql).params(&params);
    let (accepted, duplicate, dead_lettered, gap_offsets): (u64, u64, u64, u64) =
        query.named("verdicts of a range").fetch_one().await?;
    let correction = format!(
        "ALTER TABLE ingest_ledger UPDATE accepted = {accepted}, duplicate = {duplicate}, \
             dead_lettered = {dead_lettered}, gap_offsets = {gap_offsets} \
         WHERE {of_batch} AND (accepted, duplicate, dead_lettered, gap_offsets) \
             != ({accepted}, {duplicate}, {dead_lettered}, {gap_offsets}) \
         SETTINGS mutations_sync = 1"
    );
    store.execute(&correction, &params).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_verdict_is_what_is_left() {
        assert_eq!(without(5, 9, &[]), [(5, 9)]);
        assert_eq!(without(5, 9, &[(5, 9)]), []);
        assert_eq!(without(5, 9, &[(2, 5), (7, 7)]), [(6, 6), (8, 9)]);
        assert_eq!(without(5, 9, &[(5, 5), (9, 12)]), [(6, 8)]);
        assert_eq!(without(5, 9, &[(0, 20), (6, 6)]), []);
        assert_eq!(without(5, 9, &[(6, 8), (7, 7)]), [(5, 5), (9, 9)]);
    }
}
