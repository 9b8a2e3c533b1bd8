//! The first thing that runs in every child: `devstack child … -- program arguments`.
//!
//! It ties the child's life to its parent's, gives up root where the program refuses it, and turns
//! into the program.

use std::{
    env,
    ffi::{CString, OsString},
    io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use nix::{
    sys::{
        prctl,
        resource::{Resource, getrlimit, setrlimit},
        signal::Signal,
    },
    unistd::{User, getppid, initgroups, setgid, setuid},
};

use crate::error::{Result, StackError};

/// Names the devstack binary that launches children; `devstack test` sets it for the tests.
pub const LAUNCHER_VARIABLE: &str = "OPENRIDE_STACK_BINARY";

/// Becomes the program, as that user, to be killed when the parent ends (whoever that is, if no
/// process id is given). Returns only if that fails.
pub fn become_program(
    parent: Option<u32>,
    user: Option<&str>,
    program: &OsString,
    arguments: &[OsString],
) -> io::Error {
    if let Err(error) = prepare(parent, user) {
        return error;
    }
    Command::new(program).args(arguments).exec()
}

/// Makes the calling process end with its parent; fails if the one that is meant is gone already.
fn die_with_parent(parent: Option<u32>) -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    // The parent may have died between the fork and the line above.
    let present = u32::try_from(getppid().as_raw()).ok();
    if parent.is_none() || parent == present {
        Ok(())
    } else {
        Err(io::Error::other("the parent has ended"))
    }
}

fn prepare(parent: Option<u32>, user: Option<&str>) -> io::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    if let Some(name) = user {
        become_user(name)?;
    }
    // After the change of user, which clears it.
    die_with_parent(parent)
}

fn become_user(name: &str) -> io::Result<()> {
    let user = User::from_name(name)?
        .ok_or_else(|| io::Error::other(format!("there is no user `{name}`")))?;
    initgroups(&CString::new(name)?, user.gid)?;
    setgid(user.gid)?;
    setuid(user.uid)?;
    Ok(())
}

/// A command that runs the program through the launcher.
pub(crate) fn launched(
    launcher: &Path,
    user: Option<&str>,
    program: &Path,
    arguments: &[OsString],
) -> Command {
    let mut command = Command::new(launcher);
    command
        .arg("child")
        .arg("--parent")
        .arg(std::process::id().to_string());
    if let Some(user) = user {
        command.arg("--user").arg(user);
    }
    command.arg("--").arg(program).args(arguments);
    command
}

/// Finds the devstack binary, building it if this is a test and it was not built yet.
pub(crate) fn find_launcher() -> Result<PathBuf> {
    if let Some(given) = env::var_os(LAUNCHER_VARIABLE) {
        return Ok(given.into());
    }
    let this = env::current_exe().map_err(|source| StackError::Spawn {
        program: "devstack".to_owned(),
        source,
    })?;
    if this.file_stem().is_some_and(|name| name == "devstack") {
        return Ok(this);
    }
    let binary = beside_test_binary(&this);
    if !binary.exists() {
        build_launcher(&binary)?;
    }
    Ok(binary)
}

/// Test binaries lie in `deps/` or `examples/` below the directory of the binaries.
fn beside_test_binary(this: &Path) -> PathBuf {
    let directory = this.parent().unwrap_or(Path::new("."));
    let nested = ["deps", "examples"]
        .iter()
        .any(|name| directory.ends_with(name));
    let binaries = if nested {
        directory.parent().unwrap_or(directory)
    } else {
        directory
    };
    binaries.join("devstack")
}

fn build_launcher(binary: &Path) -> Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command
        .args([
            "build",
            "--quiet",
            "--package",
            "devstack",
            "--bin",
            "devstack",
        ])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ]);
    if binary.parent().is_some_and(|dir| dir.ends_with("release")) {
        command.arg("--release");
    }
    let output = command.output().map_err(|source| StackError::Spawn {
        program: cargo.to_string_lossy().into_owned(),
        source,
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(StackError::CommandFailed {
        purpose: "building the devstack binary",
        command: "cargo build --package devstack".to_owned(),
        status: output.status,
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
