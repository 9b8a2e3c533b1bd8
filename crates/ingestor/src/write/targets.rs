//! The tables that an insert ends up in, read from the schema itself: a new aggregate is a migration, and
//! nothing here.

use event_store::{Row, Store, StoreError};
use serde::Deserialize;
use shared_schema::Domain;
use std::collections::HashMap;

/// How the presence of an insert shows in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// A sentinel per partition: aggregates, whose rows are merged.
    Mark,
    /// The rows carry their batch and topic; there may be none.
    Batch,
}

/// A table behind a view on an input table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The table.
    pub table: String,
    /// Columns that the view makes.
    pub columns: Vec<String>,
    /// The view's own `SELECT`.
    pub select: String,
    /// How presence shows.
    pub witness: Witness,
    /// The table's partition key; empty for none.
    pub partition_key: String,
}

const DISCOVER: &str = "
    SELECT input.name AS input, view.target_table AS table, view.as_select AS select,
        target.partition_key AS partition_key, made.columns AS columns, target.name IN (
            SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'mark') AS is_marked
    FROM (
        SELECT name, arrayJoin(dependencies_table) AS view FROM system.tables
        WHERE database = currentDatabase() AND startsWith(name, 'in_')
    ) AS input
    INNER JOIN (SELECT name, target_table, as_select FROM system.tables WHERE database = currentDatabase())
        AS view ON view.name = input.view
    INNER JOIN (SELECT name, partition_key FROM system.tables WHERE database = currentDatabase())
        AS target ON target.name = view.target_table
    INNER JOIN (
        SELECT table, arrayMap(pair -> pair.2, arraySort(groupArray((position, name)))) AS columns
        FROM system.columns WHERE database = currentDatabase() GROUP BY table
    ) AS made ON made.table = view.name
    ORDER BY input, view.name";

/// The tables behind every input table.
#[derive(Debug, Clone, Default)]
pub struct Targets(HashMap<Domain, Vec<Target>>);

/// The schema is not as expected.
#[derive(Debug, thiserror::Error)]
pub enum TargetsError {
    /// It could not be read.
    #[error("cannot read the schema")]
    Store(#[from] StoreError),
    /// An input table has no view: the migrations have not been applied.
    #[error("no view reads the table in_{0}: apply the migrations with `migrate`")]
    NoViews(Domain),
    /// A partition whose name a row's columns do not tell.
    #[error("the table {table} is partitioned by `{key}`, which a repair cannot follow")]
    PartitionKey {
        /// The table.
        table: String,
        /// Its key.
        key: String,
    },
}

impl Targets {
    /// Reads the views and their tables.
    pub async fn discover(store: &Store) -> Result<Self, TargetsError> {
        let rows: Vec<ViewRow> = store
            .query(DISCOVER)
            .named("targets of the inputs")
            .fetch_all()
            .await?;
        let mut found: HashMap<Domain, Vec<Target>> = HashMap::new();
        for row in rows {
            let Some(domain) = row.input.strip_prefix("in_").and_then(Domain::parse) else {
                continue;
            };
            found.entry(domain).or_default().push(row.target()?);
        }
        match Domain::ALL
            .into_iter()
            .find(|domain| !found.contains_key(domain))
        {
            Some(domain) => Err(TargetsError::NoViews(domain)),
            None => Ok(Self(found)),
        }
    }

    /// The tables that a domain's insert ends up in.
    pub fn of(&self, domain: Domain) -> impl Iterator<Item = &Target> {
        self.0.get(&domain).into_iter().flatten()
    }
}

impl Target {
    /// Whether its rows tell the partitions of their records.
    pub(super) fn names_partitions(&self) -> bool {
        self.columns.iter().any(|name| name == "kafka_partition")
    }

    /// Whether facts wait in it for their regions, in buckets.
    pub fn is_waiting(&self) -> bool {
        self.partition_key == "bucket"
    }
}

#[derive(Row, Deserialize)]
#[clickhouse(crate = "event_store::clickhouse")]
struct ViewRow {
    input: String,
    table: String,
    select: String,
    partition_key: String,
    columns: Vec<String>,
    is_marked: bool,
}

impl ViewRow {
    fn target(self) -> Result<Target, TargetsError> {
        let Self {
            table,
            select,
            partition_key,
            columns,
            is_marked,
            ..
        } = self;
        if !is_known_key(&partition_key) {
            return Err(TargetsError::PartitionKey {
                table,
                key: partition_key,
            });
        }
        let witness = if is_marked {
            Witness::Mark
        } else {
            Witness::Batch
        };
        Ok(Target {
            table,
            columns,
            select,
            witness,
            partition_key,
        })
    }
}

/// Keys whose partition ids are the text of their value.
fn is_known_key(key: &str) -> bool {
    matches!(key, "" | "bucket") || (key.starts_with("toYYYYMM(") && key.ends_with(')'))
}
