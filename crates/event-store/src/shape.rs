//! The tables and views that an event passes through, as the migrations left them.
//!
//! ClickHouse takes an insert without a word when a view of it is gone, or when a view makes a column that its table
//! no longer has: what they would have written is lost. So the migrations record the shape of the schema, and
//! whoever writes compares it first.

use clickhouse::Row;
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{error::StoreError, params::Params, store::Store};

/// One line per view with its input and its table, and per column of each of them.
const NOW: &str = "
    WITH
        fed AS (
            SELECT input.name AS input, views.name AS view, views.target_table AS target
            FROM (
                SELECT name, arrayJoin(dependencies_table) AS view FROM system.tables
                WHERE database = currentDatabase() AND startsWith(name, 'in_')
            ) AS input
            INNER JOIN (SELECT name, target_table FROM system.tables WHERE database = currentDatabase())
                AS views ON views.name = input.view
        )
    SELECT arrayStringConcat(arraySort(groupArray(line)), '\\n') FROM (
        SELECT concat('view ', view, ' from ', input, ' to ', target) AS line FROM fed
        UNION ALL
        SELECT concat('column ', name, ' of ', table, ': ', type) FROM system.columns
        WHERE database = currentDatabase() AND (startsWith(table, 'in_')
            OR table IN (SELECT view FROM fed) OR table IN (SELECT target FROM fed))
    )";

const RECORDED: &str = "SELECT shape FROM schema_shape ORDER BY version DESC, recorded_at LIMIT 1";

/// Why nothing should be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The server did not say.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The schema is no longer what the migrations made.
    #[error(
        "the schema is not what `migrate` makes (a migration was cut short: run it again; or it was changed by hand), and writing to it would lose data; missing: {}",
        listed(missing)
    )]
    Changed {
        /// Views and columns that are no longer there.
        missing: Vec<String>,
    },
    /// It is well, and may not have been all the while.
    #[error("the schema was changed while it was written to")]
    ChangedMeanwhile,
}

/// Tells, at a fraction of the cost of [`NOW`], whether any definition has changed since. The times are whole seconds, so
/// a definition is told apart from a later one only once its second is over; but what is made anew has another `uuid`.
/// What others make in the database does not count: only what [`NOW`] tells of, and the tables that are written to
/// without a view. Windows, since they read `system.tables` once, which is most of the cost.
const LOOK: &str = "
    SELECT groupBitXor(cityHash64(name, uuid, metadata_modification_time)) AS digest,
        max(metadata_modification_time) < now() - INTERVAL 2 SECOND AS is_lasting
    FROM (
        SELECT *, groupUniqArrayIf(target_table, is_view) OVER () AS targets FROM (
            SELECT name, uuid, metadata_modification_time, target_table, startsWith(name, 'in_') AS is_input,
                has(groupArrayArrayIf(dependencies_table, startsWith(name, 'in_')) OVER (), name) AS is_view
            FROM system.tables WHERE database = currentDatabase()
        )
    )
    WHERE is_input OR is_view OR has(targets, name)
        OR name IN ('ingest_ledger', 'ingest_gaps', 'dead_letters', 'duplicates', 'settlements')";

/// Compares the schema again and again, and as a whole only where a definition has changed.
#[derive(Debug, Default)]
pub struct Watch {
    found_well: Mutex<Option<u64>>,
}

/// The definitions that a look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen(u64);

#[derive(Row, Deserialize)]
#[clickhouse(crate = "clickhouse")]
struct Look {
    digest: u64,
    is_lasting: bool,
}

impl Watch {
    /// As [`check`](fn@check).
    ///
    /// # Errors
    /// As there.
    pub async fn check(&self, store: &Store) -> Result<Seen, ShapeError> {
        let look: Look = store.query(LOOK).named("definitions").fetch_one().await?;
        if *self.known() != Some(look.digest) {
            check(store).await?;
            if look.is_lasting {
                *self.known() = Some(look.digest);
            }
        }
        Ok(Seen(look.digest))
    }

    /// The look after something was written. A view that was dropped and made anew since the look before may have missed
    /// it, though all is well again. (One that was detached and attached is the same as before, and not noticed.)
    ///
    /// # Errors
    /// As [`check`](Self::check), and [`ShapeError::ChangedMeanwhile`].
    pub async fn check_since(&self, store: &Store, before: Seen) -> Result<(), ShapeError> {
        match self.check(store).await? == before {
            true => Ok(()),
            false => Err(ShapeError::ChangedMeanwhile),
        }
    }

    fn known(&self) -> MutexGuard<'_, Option<u64>> {
        self.found_well
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Row, Deserialize)]
#[clickhouse(crate = "clickhouse")]
struct Shapes {
    recorded: String,
    now: String,
}

/// Compares the schema with what the last migration recorded. What was added to it since is no harm.
///
/// # Errors
/// [`ShapeError::Changed`] if something is missing; or if the server does not answer, or was never migrated.
pub async fn check(store: &Store) -> Result<(), ShapeError> {
    // a scalar subquery may be NULL
    let same = format!("SELECT ifNull(({NOW}) = ({RECORDED}), 0)");
    if store
        .query(&same)
        .named("shape")
        .fetch_one::<bool>()
        .await?
    {
        return Ok(());
    }
    let both = format!("SELECT ifNull(({RECORDED}), '') AS recorded, ifNull(({NOW}), '') AS now");
    let shapes: Shapes = store.query(&both).named("shape").fetch_one().await?;
    match shapes.missing() {
        missing if missing.is_empty() => Ok(()),
        missing => Err(ShapeError::Changed { missing }),
    }
}

impl Shapes {
    /// What was recorded and is not there: the views first, since their columns follow from them.
    fn missing(&self) -> Vec<String> {
        let now: BTreeSet<&str> = self.now.lines().collect();
        let gone = self.recorded.lines().filter(|line| !now.contains(line));
        let mut missing: Vec<String> = gone.map(str::to_owned).collect();
        missing.sort_by_key(|line| !line.starts_with("view "));
        missing
    }
}

/// Records what the schema is after its last step. What is recorded for a version stays: a schema that was changed by
/// hand does not become right by migrating again.
pub(crate) async fn record(store: &Store, version: u32) -> Result<(), StoreError> {
    let table = "CREATE TABLE IF NOT EXISTS schema_shape \
         (version UInt32, recorded_at DateTime64(3, 'UTC'), shape String) ENGINE = MergeTree ORDER BY version";
    store.execute(table, &Params::new()).await?;
    let params = Params::new().with("version", version);
    let known = "SELECT count() FROM schema_shape WHERE version = {version:UInt32}";
    let known: u64 = store
        .query(known)
        .params(&params)
        .named("recorded shape")
        .fetch_one()
        .await?;
    if known > 0 {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO schema_shape (version, recorded_at, shape) SELECT {{version:UInt32}}, now64(3), ({NOW})"
    );
    store.execute(&sql, &params).await
}

fn listed(lines: &[String]) -> String {
    const SHOWN: usize = 10;
    let (shown, rest) = lines.split_at(lines.len().min(SHOWN));
    match rest.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
