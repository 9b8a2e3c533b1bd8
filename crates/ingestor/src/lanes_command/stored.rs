//! What ClickHouse holds of a range of offsets.

use super::bounds::Written;
use chrono::{DateTime, Utc};
use event_store::{Params, Row, Store, StoreError};
use metadata_store::LaneId;
use serde::Deserialize;

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
    is_old: bool,
}

/// What the ledger tells of a lane from `next` on, in the order of its offsets. What was decided before `told_since` is old.
pub(super) async fn written(
    store: &Store,
    lane: &LaneId,
    next: i64,
    told_since: DateTime<Utc>,
) -> Result<Vec<Written>, StoreError> {
    let sql = format!(
        "SELECT toString(batch) AS id, toInt64(first_offset) AS first, toInt64(last_offset) AS last, \
             decided_at < {{told_since:DateTime64(3, 'UTC')}} AS is_old \
         FROM ingest_ledger WHERE {OF_LANE} AND last_offset >= {{lo:UInt64}} ORDER BY first_offset, decided_at LIMIT 1000"
    );
    let from = Offsets {
        lane,
        lo: next,
        hi: i64::MAX,
    };
    let params = from.params().with("told_since", told_since);
    let query = store.query(&sql).params(&params);
    let rows: Vec<WrittenRow> = query.named("the ledger of a lane").fetch_all().await?;
    let written = |row: WrittenRow| {
        Some(Written {
            batch: row.id.parse().ok()?,
            first: row.first,
            last: row.last,
            is_old: row.is_old,
        })
    };
    Ok(rows.into_iter().filter_map(written).collect())
}

/// Whether the ledger tells of a range without a record that ends with this offset, as declarations are.
pub(super) async fn is_declared(
    store: &Store,
    lane: &LaneId,
    through: i64,
) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT count() > 0 FROM ingest_ledger WHERE {OF_LANE} AND last_offset = {{hi:UInt64}} \
             AND accepted + duplicate + dead_lettered = 0"
    );
    let (lo, hi) = (0, through);
    let params = Offsets { lane, lo, hi }.params();
    let query = store.query(&sql).params(&params);
    query.named("a declaration").fetch_one().await
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
