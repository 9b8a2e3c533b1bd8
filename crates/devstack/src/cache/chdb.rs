//! The ClickHouse engine as a shared library, from npm.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest as _, Sha256};

use super::Cache;
use crate::{
    command::{self, Helpers},
    error::{FileContext as _, Result, StackError},
    progress::Progress,
};

const PACKAGE: &str = "@chdb/lib-linux-x64-gnu";
const VERSION: &str = "26.7.3-stable.1";
/// SHA-256 of the package as npm serves it.
const TARBALL_SHA256: &str = "c0d32b129e988f2b9a9a31c9141aecf5e1e2453f9a079efc4d36ab8e3f92b2ad";

impl Cache {
    /// The path of `libchdb.so`.
    pub(crate) fn clickhouse_library(&self, progress: &dyn Progress) -> Result<PathBuf> {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            return Err(StackError::UnsupportedMachine(std::env::consts::ARCH));
        }
        let entry = self.entry(&format!("chdb-{VERSION}"), progress, |partial| {
            let text = "downloading the ClickHouse 26.7 engine (178 MB)";
            progress.while_busy(text, &mut || download(partial, &self.helpers))
        })?;
        Ok(entry.join("libchdb.so"))
    }
}

fn download(directory: &Path, helpers: &Helpers) -> Result<()> {
    let npm = command::find_program("npm", &[], "install it with: apt-get install npm")?;
    let mut pack = Command::new(npm);
    pack.args(["pack", "--silent", &format!("{PACKAGE}@{VERSION}")])
        .arg("--pack-destination")
        .arg(directory);
    helpers.run("downloading the ClickHouse engine", None, &pack)?;

    let tarball = directory.join(format!("chdb-lib-linux-x64-gnu-{VERSION}.tgz"));
    check_content(&tarball)?;
    let mut unpack = Command::new("tar");
    unpack
        .arg("--extract")
        .arg("--gzip")
        .arg("--file")
        .arg(&tarball)
        .arg("--directory")
        .arg(directory)
        .args([
            "--strip-components=1",
            "--no-same-owner",
            "package/libchdb.so",
        ]);
    helpers.run("unpacking the ClickHouse engine", None, &unpack)?;
    fs::remove_file(&tarball).on("remove", &tarball)
}

fn check_content(tarball: &Path) -> Result<()> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(tarball).on("open", tarball)?);
    let mut hash = Sha256::new();
    loop {
        let chunk = file.fill_buf().on("read", tarball)?;
        if chunk.is_empty() {
            break;
        }
        hash.update(chunk);
        let length = chunk.len();
        file.consume(length);
    }
    let found: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if found == TARBALL_SHA256 {
        return Ok(());
    }
    Err(StackError::BadDownload {
        what: PACKAGE,
        reason: format!("its SHA-256 is {found}, expected {TARBALL_SHA256}"),
    })
}
