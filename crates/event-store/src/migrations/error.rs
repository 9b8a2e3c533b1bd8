use crate::error::StoreError;

/// Why the schema is not as it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// A file is not where or what it should be. A defect of the program.
    #[error("migrations/clickhouse/{path}: {problem}")]
    Layout {
        /// The file or directory.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A statement has a place that nobody fills.
    #[error("{file}: nobody fills in {{{{{name}}}}}")]
    Placeholder {
        /// The statement's file.
        file: String,
        /// The name of the place.
        name: String,
    },
    /// The database's name cannot stand in a statement.
    #[error("`{0}` is no name for a database: letters, digits and underscores, no digit first")]
    Database(String),
    /// A step was run with other statements than this program has.
    #[error(
        "step {step} was changed after it had been run: its checksum is {ours}, the database has {applied}. \
         Run the program that it came from, or undo the change and add a new step"
    )]
    Changed {
        /// The step.
        step: String,
        /// The checksum of the embedded statements.
        ours: String,
        /// The checksum of those that were run.
        applied: String,
    },
    /// A statement failed. The steps before it are done.
    #[error("{file} failed")]
    Statement {
        /// The statement's file.
        file: String,
        /// Why.
        source: StoreError,
    },
    /// The table of versions could not be read or written.
    #[error("the table of applied steps")]
    Ledger(#[from] StoreError),
}
