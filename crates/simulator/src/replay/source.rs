//! Where the table comes from: the Python package that publishes it, through its own package manager.

use super::{ReplayError, TripTable};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Rows of the published table.
pub const PUBLISHED_ROWS: u64 = 1_600_497;
/// Trips of the published table.
pub const PUBLISHED_TRIPS: u64 = 110_932_862;

const PACKAGE: &str = "pyhailing==0.0.9";
const WHEEL: &str = "pyhailing-0.0.9-py3-none-any.whl";
const MEMBER: &str = "pyhailing/data/trips.csv";

/// The package with the table, downloaded into `cache` unless it is there already.
///
/// # Errors
/// When there is no Python with pip, or it cannot download the package.
pub fn find_trips(cache: &Path) -> Result<PathBuf, ReplayError> {
    let wheel = cache.join(WHEEL);
    if !wheel.exists() {
        download(cache, &wheel)?;
    }
    Ok(wheel)
}

/// Downloads beside the cache and then renames, so that a killed download leaves no half file there.
fn download(cache: &Path, wheel: &Path) -> Result<(), ReplayError> {
    let unfinished = cache.join(format!("unfinished-{}", std::process::id()));
    fs::create_dir_all(&unfinished).map_err(file_error("create", &unfinished))?;
    let outcome = Command::new("python3")
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
        ])
        .args([PACKAGE, "--dest"])
        .arg(&unfinished)
        .output()
        .map_err(|error| ReplayError::Download {
            detail: format!("python3 did not start: {error}"),
        })?;
    let arrived = if outcome.status.success() {
        fs::rename(unfinished.join(WHEEL), wheel).map_err(file_error("keep", wheel))
    } else {
        let detail = String::from_utf8_lossy(&outcome.stderr).trim().to_owned();
        Err(ReplayError::Download { detail })
    };
    fs::remove_dir_all(&unfinished).map_err(file_error("remove", &unfinished))?;
    arrived
}

/// Reads the table from a CSV file, or from the package that contains it.
///
/// # Errors
/// When the file cannot be read or is not such a table.
pub fn read_trips(path: &Path) -> Result<TripTable, ReplayError> {
    let file = File::open(path).map_err(file_error("open", path))?;
    if path.extension().is_some_and(|extension| extension == "csv") {
        return TripTable::read(BufReader::new(file));
    }
    let no_archive = |source| ReplayError::Archive {
        path: path.to_owned(),
        member: MEMBER,
        source,
    };
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(no_archive)?;
    let member = archive.by_name(MEMBER).map_err(no_archive)?;
    TripTable::read(member)
}

impl TripTable {
    /// Checks that this is the table that was published, whole.
    ///
    /// # Errors
    /// When rows or trips are missing or added.
    pub fn check_published(&self) -> Result<(), ReplayError> {
        let (rows, trips) = (self.rows(), self.trips());
        if (rows, trips) == (PUBLISHED_ROWS, PUBLISHED_TRIPS) {
            Ok(())
        } else {
            Err(ReplayError::NotAsPublished { rows, trips })
        }
    }
}

fn file_error(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ReplayError {
    let path = path.to_owned();
    move |source| ReplayError::File {
        action,
        path,
        source,
    }
}
