//! Does one insert make one part per target and month on this server? Asked at start-up, by doing it.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Months, Utc};
use clickhouse::Row;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    error::{At, Operation, StoreError},
    insert::InsertSelect,
    insert_settings::PINNED,
    native::{Block, BlockError, ColumnType},
    params::Params,
    store::Store,
};

/// More than any block size that ClickHouse has as a default on the way of an insert.
const ROWS: u64 = 120_000;
const MONTHS: u32 = 4;
const PREFIX: &str = "ingest_probe_";

/// Why the ingestor must not write to this server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// An insert made more parts than one per target and month, or fewer.
    #[error("an insert does not make one part per table and month: {parts}; {}", settings_text(.settings))]
    Parts {
        /// What it made.
        parts: Parts,
        /// The settings that are not as they were sent.
        settings: Vec<Deviation>,
    },
    /// The server did not do what was asked.
    #[error("the probe insert")]
    Store(#[from] StoreError),
    /// A defect of the probe.
    #[error("the probe block")]
    Block(#[from] BlockError),
}

/// A pinned setting that has another value when the insert runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// Its name.
    pub name: &'static str,
    /// What it should be.
    pub pinned: &'static str,
    /// What it is.
    pub effective: String,
    /// What happens without it.
    pub reason: &'static str,
}

/// Parts by table and month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts(BTreeMap<(String, String), u64>);

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, ((table, month), parts)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{parts} in {table} for {month}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            pinned,
            effective,
            reason,
        } = self;
        write!(f, "{name} is {effective} instead of {pinned} ({reason})")
    }
}

fn settings_text(settings: &[Deviation]) -> String {
    match settings {
        [] => "all pinned settings have their values, so it is something that this version does not know".to_owned(),
        settings => settings.iter().map(Deviation::to_string).collect::<Vec<_>>().join("; "),
    }
}

/// Inserts a block over several months through views into tables of its own, counts the parts, and drops
/// the tables.
///
/// # Errors
/// If there is not exactly one part per table and month; the error names the setting that is off.
pub async fn probe(store: &Store) -> Result<(), ProbeError> {
    probe_with(store, &[]).await
}

/// The same with other values for some of the pinned settings, to see what they do.
///
/// # Errors
/// As [`probe`].
pub async fn probe_with(store: &Store, overrides: &[(&str, &str)]) -> Result<(), ProbeError> {
    let settings: Vec<(&str, &str)> = PINNED
        .iter()
        .map(|pinned| {
            let other = overrides.iter().find(|(name, _)| *name == pinned.name);
            (pinned.name, other.map_or(pinned.value, |&(_, value)| value))
        })
        .collect();
    let scratch = Scratch::new(store);
    let parts = scratch.run(&settings).await;
    // also after a failure, whose cause matters more than what the clean-up says
    let cleaned = scratch.drop_tables().await;
    let parts = parts?;
    cleaned?;
    if parts == scratch.expected() {
        return Ok(());
    }
    let settings = deviations(store, &settings).await?;
    Err(ProbeError::Parts { parts, settings })
}

struct Scratch<'s> {
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
    fn new(store: &'s Store) -> Self {
        let name = format!("{PREFIX}{}", Uuid::now_v7().simple());
        Self { store, name }
    }

    async fn run(&self, settings: &[(&str, &str)]) -> Result<Parts, ProbeError> {
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

    fn expected(&self) -> Parts {
        let mut parts = Parts::default();
        for table in ["rows", "groups"] {
            for month in 0..MONTHS {
                let month = month_start(month).format("%Y%m").to_string();
                parts.0.insert((table.to_owned(), month), 1);
            }
        }
        parts
    }

    async fn drop_tables(&self) -> Result<(), StoreError> {
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

fn block() -> Result<(String, Vec<u8>), BlockError> {
    let mut block = Block::new();
    let at = block.add("at", ColumnType::datetime64());
    let n = block.add("n", ColumnType::uint64());
    for (row, month) in (0..ROWS).zip((0..MONTHS).cycle()) {
        block.set(at, month_start(month));
        block.set(n, row);
        block.finish_row();
    }
    let mut body = Vec::new();
    block.encode_into(&mut body)?;
    Ok((block.input(), body))
}

/// Asks a query that is sent with the same settings what it sees.
async fn deviations(
    store: &Store,
    settings: &[(&str, &str)],
) -> Result<Vec<Deviation>, StoreError> {
    let names: Vec<&str> = PINNED.iter().map(|pinned| pinned.name).collect();
    let sql = "SELECT name, value FROM system.settings WHERE name IN {names:Array(String)}";
    let mut query = store.query(sql).named("settings of inserts");
    for (name, value) in settings {
        query = query.setting(name, value);
    }
    let query = query.params(&Params::new().with("names", names.as_slice()));
    let effective: BTreeMap<String, String> = query
        .fetch_all::<(String, String)>()
        .await?
        .into_iter()
        .collect();
    let deviation = |pinned: &crate::insert_settings::Pinned| {
        let value = effective.get(pinned.name)?;
        (value != pinned.value).then(|| Deviation {
            name: pinned.name,
            pinned: pinned.value,
            effective: value.clone(),
            reason: pinned.reason,
        })
    };
    Ok(PINNED.iter().filter_map(deviation).collect())
}
