//! The end: in order, from within; and from outside.

use std::{
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::Supervisor;
use crate::{
    directory,
    error::{FileContext as _, Result, StackError},
    process::wait_until,
    progress::{Progress as _, Terminal},
    servers,
};

/// How long the services may take to finish what they have in hand.
pub(super) const SERVICE_PATIENCE: Duration = Duration::from_secs(30);
/// How long a whole supervisor may take: its services, then four servers.
const SUPERVISOR_PATIENCE: Duration = Duration::from_secs(120);

pub use crate::directory::holder;

/// Ends the services, youngest first so that traffic ends before its consumers do; then the servers.
pub(super) fn in_order(mut supervisor: Supervisor) -> Result<()> {
    Terminal.note("stopping (Ctrl-C again to end at once) …");
    let began = Instant::now();
    let mut outcome = Ok(());
    while let Some(running) = supervisor.services.pop() {
        if let Some(mut process) = running.process {
            let patience = SERVICE_PATIENCE.saturating_sub(began.elapsed());
            outcome = outcome.and(process.stop(Signal::SIGTERM, patience));
        }
    }
    outcome = outcome.and(supervisor.stack.stop_all());
    Terminal.note(&format!(
        "stopped after {:.1} s",
        began.elapsed().as_secs_f64()
    ));
    outcome
}

/// Ends the supervisor of the directory, if one runs, and waits for it. Returns its process id.
///
/// # Errors
/// When it does not end.
pub fn stop_supervisor(directory: &Path) -> Result<Option<u32>> {
    let Some(pid) = holder(directory) else {
        return Ok(None);
    };
    signal(pid, Signal::SIGTERM)?;
    let is_gone = || holder(directory).is_none();
    if wait_until(SUPERVISOR_PATIENCE, is_gone) {
        return Ok(Some(pid));
    }
    // Everything that it runs dies with it.
    signal(pid, Signal::SIGKILL)?;
    if wait_until(Duration::from_secs(10), is_gone) {
        Ok(Some(pid))
    } else {
        Err(StackError::WillNotEnd {
            name: "the supervisor".to_owned(),
            pid,
        })
    }
}

fn signal(pid: u32, signal: Signal) -> Result<()> {
    let target = Pid::from_raw(i32::try_from(pid).unwrap_or(i32::MAX));
    match kill(target, signal) {
        Ok(()) | Err(nix::Error::ESRCH) => Ok(()),
        Err(source) => Err(StackError::Signal {
            name: "the supervisor".to_owned(),
            pid,
            source,
        }),
    }
}

/// Removes the stack's directory with all data and logs.
///
/// # Errors
/// When a supervisor runs, or a file cannot be removed.
pub fn clean(directory: &Path) -> Result<()> {
    let Some(held) = directory::StackDirectory::take_existing(directory)? else {
        return Ok(());
    };
    servers::remove_outside_data(held.path())?;
    match fs::remove_dir_all(held.path()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).on("remove", directory),
        _ => Ok(()),
    }
}
