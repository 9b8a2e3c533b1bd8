//! Servers under strace, which can make their system calls fail, slow or deadly.

use std::{ffi::OsString, fs, path::Path, time::Duration};

use nix::sys::signal::Signal;

use crate::{
    command,
    error::{Result, StackError},
    process::{Launch, Process, wait_until},
    server::Server,
    servers::Site,
    tree,
};

const HINT: &str = "install it with: apt-get install strace";
const ATTACH_PATIENCE: Duration = Duration::from_secs(20);

/// A launch that runs the same program under strace.
pub(crate) fn traced(
    launcher: &Path,
    launch: Launch,
    log: &Path,
    arguments: &[&str],
) -> Result<Launch> {
    // The tracer dies with the supervisor, and the program, through a launcher of its own, with
    // the tracer: a killed tracer would otherwise let it run on.
    let mut words = tracer_words(log, arguments);
    words.push("--seccomp-bpf".into());
    words.extend([launcher.into(), "child".into(), "--".into()]);
    words.push(launch.program.clone().into());
    words.extend(launch.arguments);
    Ok(Launch {
        program: command::find_program("strace", &[], HINT)?,
        arguments: words,
        ..launch
    })
}

fn tracer_words(log: &Path, arguments: &[&str]) -> Vec<OsString> {
    let mut words: Vec<OsString> = ["-f", "-q", "-o"].map(Into::into).into();
    words.push(log.into());
    words.extend(arguments.iter().map(OsString::from));
    words
}

/// The process that the given one traces, if it is a strace.
pub(crate) fn traced_pid(process: &Process) -> Option<u32> {
    let name = fs::read_to_string(format!("/proc/{}/comm", process.pid())).ok()?;
    if name.trim_end() != "strace" {
        return None;
    }
    tree::descendants(process.pid()).first().copied()
}

/// A strace that is attached to a server. Dropping it detaches it.
#[derive(Debug)]
pub struct Tracer {
    process: Process,
}

impl Tracer {
    pub(crate) fn attach(
        site: &Site,
        server: Server,
        pid: u32,
        arguments: &[&str],
    ) -> Result<Self> {
        let log = site.log(&format!("{server}-strace"))?;
        let mut words = tracer_words(&log, arguments);
        words.extend(["-p".into(), pid.to_string().into()]);
        let launch = Launch {
            name: format!("strace of {server}"),
            program: command::find_program("strace", &[], HINT)?,
            arguments: words,
            environment: Vec::new(),
            user: None,
            working_directory: site.directory.clone(),
            log: site.log("strace")?,
        };
        let mut process = Process::start(&site.helpers.launcher, &launch)?;
        let tracer = process.pid();
        let attached = wait_until(ATTACH_PATIENCE, || {
            process.ended().is_some() || all_threads_traced_by(pid, tracer)
        });
        if let Some(status) = process.ended() {
            return Err(StackError::EndedEarly {
                name: launch.name,
                status,
                log_tail: process.log_tail(),
            });
        }
        if !attached {
            return Err(StackError::NotReady {
                name: launch.name,
                waited: ATTACH_PATIENCE,
                last: "not all threads are traced".to_owned(),
                log_tail: process.log_tail(),
            });
        }
        Ok(Self { process })
    }

    /// Detaches; the server runs on untraced.
    ///
    /// # Errors
    /// When strace does not end.
    pub fn detach(mut self) -> Result<()> {
        self.process.stop(Signal::SIGTERM, ATTACH_PATIENCE)
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // Killed outright, strace could leave threads of the server halted.
        let _ = self.process.stop(Signal::SIGTERM, ATTACH_PATIENCE);
    }
}

fn all_threads_traced_by(pid: u32, tracer: u32) -> bool {
    let wanted = format!("TracerPid:\t{tracer}\n");
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return false;
    };
    threads.flatten().all(|thread| {
        fs::read_to_string(thread.path().join("status"))
            .is_ok_and(|status| status.contains(&wanted))
    })
}
