//! Servers under strace, which can make their system calls fail, slow or deadly.

use std::{ffi::OsString, fs, time::Duration};

use nix::sys::signal::Signal;

use crate::{
    command,
    error::{Result, StackError},
    process::{Launch, Process, wait_until},
    server::Server,
    servers::Site,
};

const HINT: &str = "install it with: apt-get install strace";
const ATTACH_PATIENCE: Duration = Duration::from_secs(20);

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
        let mut words: Vec<OsString> = ["-f", "-q", "-o"].map(Into::into).into();
        words.push(log.into());
        words.extend(arguments.iter().map(OsString::from));
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
