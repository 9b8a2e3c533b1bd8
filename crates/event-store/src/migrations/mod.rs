//! The schema as numbered steps, `migrations/clickhouse/NNNN_name/NN_statement.sql`, built into the
//! program.
//!
//! Each file holds one statement that may be run again (`IF NOT EXISTS` and the like), since ClickHouse
//! has no transactions around them. A step's version is recorded behind its last statement, so one that
//! was cut short is run again from its first. One migrator runs at a time, and nobody writes meanwhile: the
//! program `migrate` holds a lock for that. Should it lose the lock, the statement that runs may run to its
//! end; so a copy of a table is made beside it, and only takes its place by a statement of its own. That one
//! replaces a step by another is seen by the checksum.

mod error;
mod ledger;
mod source;

use std::fmt;

use chrono::{DateTime, Utc};

use self::ledger::Ledger;
pub use self::{
    error::MigrationError,
    source::{Migration, Rendering, Statement, embedded},
};
use crate::{params::Params, shape, store::Store};

/// What [`apply`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The steps that were run, as `0007_aggregates`.
    pub applied: Vec<String>,
    /// How many steps had been run before.
    pub already: usize,
    /// Steps that the database has and this program does not know: it is older than the schema.
    pub unknown: Vec<String>,
}

/// Where a step stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The step, as `0007_aggregates`.
    pub step: String,
    /// Whether it was run.
    pub state: State,
}

/// Whether a step was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not yet, or not to its end.
    Pending,
    /// At this time.
    Applied(DateTime<Utc>),
    /// With other statements than this program has.
    Changed(DateTime<Utc>),
    /// By a newer program.
    Unknown(DateTime<Utc>),
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending => f.write_str("pending"),
            Self::Applied(at) => write!(f, "applied {}", at.format("%F %T")),
            Self::Changed(at) => write!(f, "changed since it was applied {}", at.format("%F %T")),
            Self::Unknown(at) => {
                write!(f, "unknown to this version, applied {}", at.format("%F %T"))
            }
        }
    }
}

/// Makes the database if it is missing and runs the embedded steps that it does not have.
///
/// # Errors
/// At the first statement that fails, or if a step was changed after it had been run. Calling it again
/// goes on where it stopped.
pub async fn apply(store: &Store, rendering: &Rendering) -> Result<Report, MigrationError> {
    apply_steps(store, rendering, &embedded()?).await
}

/// The same with other steps than the embedded ones.
///
/// # Errors
/// As [`apply`].
pub async fn apply_steps(
    store: &Store,
    rendering: &Rendering,
    steps: &[Migration],
) -> Result<Report, MigrationError> {
    let ledger = Ledger::create(store, rendering).await?;
    let before = ledger.read().await?;
    before.check(steps)?;
    let mut report = Report {
        unknown: before.unknown(steps),
        ..Report::default()
    };
    for step in steps {
        // read anew: another migrator may have run it meanwhile, and the steps behind it too
        let recorded = ledger.read().await?;
        recorded.check(steps)?;
        if recorded.has(step.version) {
            report.already += 1;
            continue;
        }
        run(store, rendering, step).await?;
        ledger.record(step).await?;
        tracing::info!(
            migration = step.name(),
            statements = step.statements.len(),
            "schema step applied"
        );
        report.applied.push(step.name());
    }
    let recorded = ledger.read().await?;
    recorded.check(steps)?;
    if let Some(version) = recorded.last() {
        shape::record(&store.with_database(&rendering.database), version).await?;
    }
    Ok(report)
}

/// Where each step stands, the embedded ones and those that only the database knows.
///
/// # Errors
/// If the server does not answer. A database that does not exist is one where all steps are pending.
pub async fn status(store: &Store, rendering: &Rendering) -> Result<Vec<Status>, MigrationError> {
    let steps = embedded()?;
    let recorded = Ledger::of(store, rendering)?.read_if_there().await?;
    Ok(recorded.status(&steps))
}

async fn run(store: &Store, rendering: &Rendering, step: &Migration) -> Result<(), MigrationError> {
    // statements name their database, which need not be the one that the client starts in
    let store = store.with_database("system");
    for statement in &step.statements {
        let file = format!("{}/{}", step.name(), statement.file);
        let sql =
            rendering
                .render(&statement.template)
                .map_err(|name| MigrationError::Placeholder {
                    file: file.clone(),
                    name,
                })?;
        store
            .execute(&sql, &Params::new())
            .await
            .map_err(|source| MigrationError::Statement { file, source })?;
    }
    Ok(())
}
