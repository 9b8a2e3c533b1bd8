//! Programs in Python that tests use, from PyPI, in a virtual environment.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use sha2::{Digest as _, Sha256};

use super::Cache;
use crate::{
    Interrupt,
    command::{self, Helpers},
    error::{FileContext as _, Result},
    launcher,
    progress::{Progress, Terminal},
};

/// Every package, with its version and its hashes.
const PACKAGES: &str = include_str!("../../config/python-tools.txt");

/// The Python of a virtual environment with the packages of `config/python-tools.txt`. It is made when it is first asked
/// for, which takes half a minute, and shared by all checkouts.
///
/// # Panics
/// When it cannot be made: no test can go on then.
#[expect(
    clippy::panic,
    reason = "a test without its tools has to fail, with the reason"
)]
pub fn python_tools() -> &'static Path {
    static PYTHON: OnceLock<Result<PathBuf>> = OnceLock::new();
    match PYTHON.get_or_init(find) {
        Ok(python) => python,
        Err(error) => panic!("there are no tools in Python: {error}"),
    }
}

fn find() -> Result<PathBuf> {
    let helpers = Helpers {
        launcher: launcher::find_launcher()?,
        interrupt: Interrupt::default(),
    };
    Cache::of_this_user(helpers).python_tools(&Terminal)
}

impl Cache {
    fn python_tools(&self, progress: &dyn Progress) -> Result<PathBuf> {
        let python = command::find_program(
            "python3",
            &[],
            "install it with: apt-get install python3 python3-pip",
        )?;
        let name = self.name(&python)?;
        let entry = self.entry(&name, progress, |partial| {
            progress.while_busy("downloading tools in Python (27 MB)", &mut || {
                install(&python, partial, &self.helpers)
            })
        })?;
        Ok(entry.join("bin/python"))
    }

    /// Another list of packages is another environment, and so is another Python: one does not find the other's packages.
    fn name(&self, python: &Path) -> Result<String> {
        let mut version = Command::new(python);
        version.args([
            "-c",
            "import sys; print('%d.%d' % sys.version_info[:2], end='')",
        ]);
        let version = self
            .helpers
            .run("asking Python for its version", None, &version)?;
        let hash = Sha256::digest(PACKAGES);
        let hash: String = hash
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(format!("python-tools-{hash}-{version}"))
    }
}

fn install(python: &Path, directory: &Path, helpers: &Helpers) -> Result<()> {
    let mut environment = Command::new(python);
    // with the pip of the system, since Debian's Python has none to put into an environment
    environment
        .args(["-m", "venv", "--without-pip"])
        .arg(directory);
    helpers.run("making a virtual environment", None, &environment)?;
    let list = directory.join("python-tools.txt");
    fs::write(&list, PACKAGES).on("write", &list)?;
    let mut install = Command::new(python);
    install
        .args(["-m", "pip", "--python"])
        .arg(directory.join("bin/python"))
        .args(["install", "--quiet", "--no-input", "--no-deps"])
        .args([
            "--only-binary",
            ":all:",
            "--require-hashes",
            "--requirement",
        ])
        .arg(&list);
    helpers
        .run("downloading tools in Python", None, &install)
        .map(drop)
}
