//! A child of the stack: started through the launcher, signalled, awaited, never left behind.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    error::{FileContext as _, Result, StackError},
    forker, launcher, tree,
};

/// How often a condition is asked again while waiting for it.
pub(crate) const POLL: Duration = Duration::from_millis(20);

/// What to run and as whom.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    pub name: String,
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub environment: Vec<(&'static str, String)>,
    /// Another user than the present one.
    pub user: Option<&'static str>,
    pub working_directory: PathBuf,
    pub log: PathBuf,
}

/// A running child. Dropping it kills it and all that it started.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    pub(crate) fn start(launcher: &Path, launch: &Launch) -> Result<Self> {
        let output = open_log(&launch.log)?;
        let errors = output.try_clone().on("write", &launch.log)?;
        let mut command =
            launcher::launched(launcher, launch.user, &launch.program, &launch.arguments);
        command
            .envs(launch.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&launch.working_directory)
            // A group of its own: Ctrl-C reaches the supervisor only, which stops in order.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        let child = forker::spawn(command).map_err(|source| StackError::Spawn {
            program: launch.name.clone(),
            source,
        })?;
        Ok(Self {
            name: launch.name.clone(),
            child,
            log: launch.log.clone(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How the process ended, or `None` while it runs.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    pub(crate) fn log_tail(&self) -> String {
        log_tail(&self.log, 20)
    }

    /// Sends the signal to the process alone.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        self.signal_pid(self.pid(), signal)
    }

    /// Sends the signal to the process and everything it has started.
    pub(crate) fn signal_tree(&self, signal: Signal) -> Result<()> {
        let started = tree::descendants(self.pid());
        self.signal(signal)?;
        for pid in started {
            self.signal_pid(pid, signal)?;
        }
        Ok(())
    }

    fn signal_pid(&self, pid: u32, signal: Signal) -> Result<()> {
        let target = Pid::from_raw(i32::try_from(pid).unwrap_or(i32::MAX));
        match kill(target, signal) {
            Ok(()) | Err(nix::Error::ESRCH) => Ok(()),
            Err(source) => Err(StackError::Signal {
                name: self.name.clone(),
                pid,
                source,
            }),
        }
    }

    /// Asks the program to end with the signal, and kills it when it has not after `patience`.
    pub(crate) fn stop(&mut self, signal: Signal, patience: Duration) -> Result<()> {
        if self.ended().is_none() {
            // A halted process would not see the request.
            self.signal_tree(Signal::SIGCONT)?;
            self.signal(signal)?;
            if wait_until(patience, || self.ended().is_some()) {
                return Ok(());
            }
        }
        self.kill()
    }

    /// Kills the process and everything it has started, and waits until they are gone.
    pub(crate) fn kill(&mut self) -> Result<()> {
        // its number may be another's by then
        if self.ended().is_some() {
            return Ok(());
        }
        let started = tree::descendants(self.pid());
        self.signal(Signal::SIGKILL)?;
        for pid in &started {
            self.signal_pid(*pid, Signal::SIGKILL)?;
        }
        let gone = wait_until(Duration::from_secs(20), || {
            self.ended().is_some() && !started.iter().any(|pid| tree::is_alive(*pid))
        });
        if gone {
            Ok(())
        } else {
            Err(StackError::WillNotEnd {
                name: self.name.clone(),
                pid: self.pid(),
            })
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_none() {
            let _ = self.kill();
        }
    }
}

/// Asks until the answer is yes; false when the time is up.
pub(crate) fn wait_until(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(POLL);
    }
}

/// A log that grew past this is moved aside, once, when its process starts.
const LOG_ROTATION_BYTES: u64 = 20 * 1024 * 1024;

fn open_log(path: &Path) -> Result<File> {
    if path
        .metadata()
        .is_ok_and(|meta| meta.len() > LOG_ROTATION_BYTES)
    {
        std::fs::rename(path, path.with_extension("log.1")).on("move", path)?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .on("open", path)
}

/// The last lines of a log; empty if there is none.
pub(crate) fn log_tail(path: &Path, lines: usize) -> String {
    let bytes = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<_> = text.lines().collect();
    let skipped = all.len().saturating_sub(lines);
    all.into_iter().skip(skipped).collect::<Vec<_>>().join("\n")
}
