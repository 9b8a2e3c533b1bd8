//! What can go wrong with the table of trips.

use std::path::PathBuf;

/// The table of trips could not be had or read.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A file could not be opened, read or moved.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The archive is broken or does not contain the table.
    #[error("{} is no archive with {member}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The file that should be in it.
        member: &'static str,
        /// Why it could not be read.
        source: zip::result::ZipError,
    },
    /// A line is not a line of the table.
    #[error("line {line} of the trips is not five whole numbers in range")]
    Line {
        /// Counted from 1, the header included.
        line: u64,
    },
    /// The columns are others.
    #[error("the trips have the columns {found}, not {expected}")]
    Columns {
        /// The header of the file.
        found: String,
        /// The header of the table.
        expected: &'static str,
    },
    /// The published file has changed.
    #[error("the trips have {rows} rows and {trips} trips, not those that were published")]
    NotAsPublished {
        /// Rows found.
        rows: u64,
        /// Trips found.
        trips: u64,
    },
    /// The package could not be downloaded.
    #[error(
        "cannot download the trips: {detail}; fetch the file by other means and pass it with --trips"
    )]
    Download {
        /// What the package manager said.
        detail: String,
    },
}
