use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::Deserialize;

use super::{Migration, MigrationError, Rendering, State, Status, source::step_name};
use crate::{params::Params, store::Store};

/// The table of the steps that were run, `schema_migrations`.
pub(super) struct Ledger {
    store: Store,
    database: String,
}

/// What it says.
pub(super) struct Recorded(BTreeMap<u32, Vec<Entry>>);

#[derive(Clone, Debug, Row, Deserialize)]
struct Entry {
    version: u32,
    title: String,
    checksum: String,
    #[serde(with = "clickhouse::serde::chrono::datetime64::millis")]
    applied_at: DateTime<Utc>,
}

impl Ledger {
    pub(super) fn of(store: &Store, rendering: &Rendering) -> Result<Self, MigrationError> {
        rendering.check()?;
        Ok(Self {
            store: store.with_database("system"),
            database: rendering.database.clone(),
        })
    }

    /// The table, made if it is missing, and its database.
    ///
    /// The checksum is in the key, so that two programs that disagree about a step both stay visible.
    pub(super) async fn create(
        store: &Store,
        rendering: &Rendering,
    ) -> Result<Self, MigrationError> {
        let ledger = Self::of(store, rendering)?;
        let database = &ledger.database;
        let statements = [
            format!("CREATE DATABASE IF NOT EXISTS {database}"),
            format!(
                "CREATE TABLE IF NOT EXISTS {database}.schema_migrations
                (
                    version UInt32,
                    title String,
                    checksum String,
                    applied_at DateTime64(3, 'UTC')
                )
                ENGINE = ReplacingMergeTree(applied_at)
                ORDER BY (version, checksum)"
            ),
        ];
        for statement in statements {
            ledger.store.execute(&statement, &Params::new()).await?;
        }
        Ok(ledger)
    }

    pub(super) async fn read(&self) -> Result<Recorded, MigrationError> {
        let sql = format!(
            "SELECT version, title, checksum, min(applied_at) AS applied_at
            FROM {}.schema_migrations GROUP BY version, title, checksum ORDER BY version, applied_at",
            self.database
        );
        let mut recorded = BTreeMap::<u32, Vec<Entry>>::new();
        for entry in self
            .store
            .query(&sql)
            .named("applied schema steps")
            .fetch_all::<Entry>()
            .await?
        {
            recorded.entry(entry.version).or_default().push(entry);
        }
        Ok(Recorded(recorded))
    }

    /// Nothing where the table is missing.
    pub(super) async fn read_if_there(&self) -> Result<Recorded, MigrationError> {
        let sql = "SELECT count() FROM system.tables
            WHERE database = {database:String} AND name = 'schema_migrations'";
        let query = self.store.query(sql).param("database", &self.database);
        match query
            .named("table of applied schema steps")
            .fetch_one::<u64>()
            .await?
        {
            0 => Ok(Recorded(BTreeMap::new())),
            _ => self.read().await,
        }
    }

    pub(super) async fn record(&self, step: &Migration) -> Result<(), MigrationError> {
        let sql = format!(
            "INSERT INTO {}.schema_migrations (version, title, checksum, applied_at)
            SELECT {{version:UInt32}}, {{title:String}}, {{checksum:String}}, now64(3)",
            self.database
        );
        let params = Params::new()
            .with("version", step.version)
            .with("title", &step.title)
            .with("checksum", &step.checksum);
        Ok(self.store.execute(&sql, &params).await?)
    }
}

impl Recorded {
    pub(super) fn has(&self, version: u32) -> bool {
        self.0.contains_key(&version)
    }

    /// The highest version.
    pub(super) fn last(&self) -> Option<u32> {
        self.0.keys().next_back().copied()
    }

    /// Refuses steps that were run with other statements.
    pub(super) fn check(&self, steps: &[Migration]) -> Result<(), MigrationError> {
        for step in steps {
            if let Some(entry) = self.differing(step) {
                return Err(MigrationError::Changed {
                    step: step.name(),
                    ours: step.checksum.clone(),
                    applied: entry.checksum.clone(),
                });
            }
        }
        Ok(())
    }

    fn differing(&self, step: &Migration) -> Option<&Entry> {
        let mut entries = self.0.get(&step.version)?.iter();
        entries.find(|entry| entry.checksum != step.checksum)
    }

    pub(super) fn unknown(&self, steps: &[Migration]) -> Vec<String> {
        let names = self
            .foreign(steps)
            .map(|entry| step_name(entry.version, &entry.title));
        names.collect()
    }

    fn foreign<'a>(&'a self, steps: &'a [Migration]) -> impl Iterator<Item = &'a Entry> {
        let known = move |version: u32| steps.iter().any(|step| step.version == version);
        self.0
            .values()
            .flatten()
            .filter(move |entry| !known(entry.version))
    }

    pub(super) fn status(&self, steps: &[Migration]) -> Vec<Status> {
        let ours = steps.iter().map(|step| {
            let first = self
                .0
                .get(&step.version)
                .and_then(|entries| entries.first());
            let state = match (self.differing(step), first) {
                (Some(entry), _) => State::Changed(entry.applied_at),
                (None, Some(entry)) => State::Applied(entry.applied_at),
                (None, None) => State::Pending,
            };
            Status {
                step: step.name(),
                state,
            }
        });
        let foreign = self.foreign(steps).map(|entry| Status {
            step: step_name(entry.version, &entry.title),
            state: State::Unknown(entry.applied_at),
        });
        ours.chain(foreign).collect()
    }
}
