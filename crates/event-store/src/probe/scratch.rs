use chrono::{DateTime, Months, Utc};
use clickhouse::Row;
use serde::Deserialize;
use uuid::Uuid;

use super::{Parts, ProbeError};
use crate::{
    buffers::Buffers,
    error::{At, Operation, StoreError},
    insert::InsertSelect,
    native::{Block, BlockError, Body, ColumnType},
    params::Params,
    store::Store,
};

/// More than any block size that ClickHouse has as a default for the aggregators on the way.
const ROWS: u64 = 120_000;
const MONTHS: u32 = 4;
const PREFIX: &str = "ingest_probe_";

/// The tables of one probe.
pub(super) struct Scratch<'s> {
    store: &'s Store,
    name: String,
}

#[derive(Row, Deserialize)]
struct PartCount {
    table: String,
    month: String,
    parts: u64,
}

impl<'s> Scratch<'s> {
    pub(super) fn new(store: &'s Store) -> Self {
        let name = format!("{PREFIX}{}", Uuid::now_v7().simple());
        Self { store, name }
    }

    pub(super) async fn run(&self, settings: &[(&str, &str)]) -> Result<Parts, ProbeError> {
        self.drop_left_over().await?;
        for statement in self.create() {
            self.store.execute(&statement, &Params::new()).await?;
        }
        let (input, body) = block()?;
        let sql = format!("INSERT INTO {}_in SELECT at, n FROM {input}", self.name);
        let insert = InsertSelect::new(sql, self.name.clone(), body);
        let at = At {
            operation: Operation::Insert,
            subject: self.name.clone(),
        };
        self.store.send_insert(at, &insert, settings).await?;
        Ok(self.count().await?)
    }

    /// A row view, and a view whose groups are too many for one block of the aggregator.
    fn create(&self) -> [String; 5] {
        let name = &self.name;
        [
            format!("CREATE TABLE {name}_in (at DateTime64(3, 'UTC'), n UInt64) ENGINE = Null"),
            format!(
                "CREATE TABLE {name}_rows (at DateTime64(3, 'UTC'), n UInt64)
                ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY n"
            ),
            format!(
                "CREATE TABLE {name}_groups (at DateTime64(3, 'UTC'), n UInt64, events AggregateFunction(count))
                ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(at) ORDER BY (at, n)"
            ),
            format!("CREATE MATERIALIZED VIEW {name}_to_rows TO {name}_rows AS SELECT at, n FROM {name}_in"),
            format!(
                "CREATE MATERIALIZED VIEW {name}_to_groups TO {name}_groups AS
                SELECT at, n, countState() AS events FROM {name}_in GROUP BY at, n"
            ),
        ]
    }

    /// Parts as they were written. Some may have been merged since; they are kept for minutes, and a merged
    /// part spans several blocks.
    async fn count(&self) -> Result<Parts, StoreError> {
        let sql = "SELECT table, partition AS month, count() AS parts FROM system.parts
            WHERE database = currentDatabase() AND startsWith(table, {name:String}) AND min_block_number = max_block_number
            GROUP BY table, month";
        let query = self
            .store
            .query(sql)
            .param("name", &self.name)
            .named("parts of the probe");
        let mut parts = Parts::default();
        for row in query.fetch_all::<PartCount>().await? {
            let table = row
                .table
                .trim_start_matches(&self.name)
                .trim_start_matches('_');
            parts.0.insert((table.to_owned(), row.month), row.parts);
        }
        Ok(parts)
    }

    pub(super) fn expected() -> Parts {
        let mut parts = Parts::default();
        for table in ["rows", "groups"] {
            for month in 0..MONTHS {
                let month = month_start(month).format("%Y%m").to_string();
                parts.0.insert((table.to_owned(), month), 1);
            }
        }
        parts
    }

    pub(super) async fn drop_tables(&self) -> Result<(), StoreError> {
        for suffix in ["to_rows", "to_groups", "in", "rows", "groups"] {
            let sql = format!("DROP TABLE IF EXISTS {}_{suffix} SYNC", self.name);
            self.store.execute(&sql, &Params::new()).await?;
        }
        Ok(())
    }

    /// Tables of probes that were killed. Those of the last hour may be in use.
    async fn drop_left_over(&self) -> Result<(), StoreError> {
        let sql = "SELECT name FROM system.tables
            WHERE database = currentDatabase() AND startsWith(name, {prefix:String})
                AND metadata_modification_time < now() - INTERVAL 1 HOUR
            ORDER BY engine = 'MaterializedView' DESC";
        let query = self
            .store
            .query(sql)
            .param("prefix", PREFIX)
            .named("tables of killed probes");
        for name in query.fetch_all::<String>().await? {
            let sql = format!("DROP TABLE IF EXISTS {name} SYNC");
            self.store.execute(&sql, &Params::new()).await?;
        }
        Ok(())
    }
}

fn month_start(month: u32) -> DateTime<Utc> {
    // any months do; these cannot be mistaken for data
    DateTime::UNIX_EPOCH + Months::new(12 * 40 + month)
}

fn block() -> Result<(String, Body), BlockError> {
    let mut block = Block::new();
    let at = block.add("at", ColumnType::datetime64());
    let n = block.add("n", ColumnType::uint64());
    for (row, month) in (0..ROWS).zip((0..MONTHS).cycle()) {
        block.set(at, month_start(month));
        block.set(n, row);
        block.finish_row();
    }
    Ok((block.input(), block.take(&Buffers::default())?))
}
