//! A stack of servers of one's own, each of which can be stopped, killed and brought back.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::{
    cache::Cache,
    config::StackConfig,
    directory::StackDirectory,
    endpoints::Endpoints,
    error::{Result, StackError},
    launcher,
    ports::{self, Ports},
    process::{Launch, POLL, Process},
    server::Server,
    servers::{self, Site},
    strace,
};

/// How long a server may take until it answers.
const START_PATIENCE: Duration = Duration::from_secs(90);
/// How long a start that keeps ending early is tried again.
const EARLY_END_PATIENCE: Duration = Duration::from_secs(10);

/// Servers of one's own: started together, controlled one by one, killed when dropped. Nothing of
/// it outlives the process, even if that is killed.
///
/// All methods block and may be called inside or outside an async runtime.
#[derive(Debug)]
pub struct PrivateStack {
    // Declared before the directory, so that the processes are gone before their files are.
    processes: BTreeMap<Server, Mutex<Option<Process>>>,
    site: Site,
    endpoints: Endpoints,
    config: StackConfig,
    _directory: StackDirectory,
}

impl PrivateStack {
    /// Starts the servers and waits until each of them answers. If one does not, all are stopped.
    ///
    /// # Errors
    /// When a server is not installed, its port is taken, or it does not come up.
    pub fn start(config: StackConfig) -> Result<Self> {
        let directory = match &config.directory {
            Some(path) => StackDirectory::take(path)?,
            None => StackDirectory::temporary()?,
        };
        let site = Site {
            directory: directory.path().to_owned(),
            ports: config.ports.map_or_else(Ports::free, Ok)?,
            cache: Cache::of_this_user(),
            launcher: launcher::find_launcher()?,
        };
        let chosen = config.servers();
        let stack = Self {
            processes: chosen
                .iter()
                .map(|server| (*server, Mutex::default()))
                .collect(),
            endpoints: Endpoints::of(&site.ports),
            site,
            config,
            _directory: directory,
        };
        stack.require_free_ports(&chosen)?;
        for server in &chosen {
            servers::definition(*server).fetch(&stack.site, stack.config.progress.as_ref())?;
        }
        stack.start_all(&chosen)?;
        Ok(stack)
    }

    /// Where the servers are reached.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The directory of data, configuration and logs.
    #[must_use]
    pub fn directory(&self) -> &std::path::Path {
        &self.site.directory
    }

    /// The process id of the server itself (under strace, that of the traced process).
    ///
    /// # Errors
    /// When the server is not running.
    pub fn pid(&self, server: Server) -> Result<u32> {
        let slot = self.slot(server)?;
        let process = slot.as_ref().ok_or(StackError::NotRunning(server))?;
        Ok(strace::traced_pid(process).unwrap_or_else(|| process.pid()))
    }

    /// Whether the server's process exists.
    #[must_use]
    pub fn is_running(&self, server: Server) -> bool {
        self.slot(server).is_ok_and(|mut slot| {
            slot.as_mut()
                .is_some_and(|process| process.ended().is_none())
        })
    }

    /// Kills the server with SIGKILL, and whatever it has started; returns when they are gone.
    ///
    /// # Errors
    /// When the server is not part of the stack.
    pub fn kill(&self, server: Server) -> Result<()> {
        match self.slot(server)?.take() {
            Some(mut process) => process.kill(),
            None => Ok(()),
        }
    }

    /// Ends the server as an administrator would, and kills it if it takes too long.
    ///
    /// # Errors
    /// When the server is not part of the stack.
    pub fn stop(&self, server: Server) -> Result<()> {
        match self.slot(server)?.take() {
            Some(mut process) => process.stop(servers::definition(server).stop_patience()),
            None => Ok(()),
        }
    }

    /// Stops the server if it runs and starts it again, on the same port and data; returns when it
    /// answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&self, server: Server) -> Result<()> {
        self.stop(server)?;
        self.bring_up(server, |launch| Ok(launch))
    }

    /// Restarts the server under `strace -f` with these arguments, for example
    /// `["-e", "trace=rename", "-e", "inject=rename:signal=SIGKILL:when=3"]`.
    ///
    /// # Errors
    /// When strace is not installed or the server does not come up.
    pub fn restart_under_strace(&self, server: Server, arguments: &[&str]) -> Result<()> {
        self.stop(server)?;
        let log = self.site.log(&format!("{server}-strace"))?;
        self.bring_up(server, |launch| {
            strace::traced(&self.site.launcher, launch, &log, arguments)
        })
    }

    /// Attaches `strace -f` with these arguments to the running server; calls are counted from now
    /// on. Dropping the tracer detaches it.
    ///
    /// # Errors
    /// When strace is not installed or may not attach.
    pub fn attach_strace(&self, server: Server, arguments: &[&str]) -> Result<strace::Tracer> {
        strace::Tracer::attach(&self.site, server, self.pid(server)?, arguments)
    }

    /// Halts the server with SIGSTOP, without its noticing.
    ///
    /// # Errors
    /// When the server is not running.
    pub fn pause(&self, server: Server) -> Result<()> {
        self.signal(server, Signal::SIGSTOP)
    }

    /// Lets a paused server go on.
    ///
    /// # Errors
    /// When the server is not running.
    pub fn resume(&self, server: Server) -> Result<()> {
        self.signal(server, Signal::SIGCONT)
    }

    /// Asks the server once whether it serves; the text says why not.
    ///
    /// # Errors
    /// When it does not.
    pub fn probe(&self, server: Server) -> Result<(), String> {
        servers::definition(server).probe(&self.site)
    }

    /// Ends all servers in the reverse order of their start.
    ///
    /// # Errors
    /// The first failure; the others are stopped all the same.
    pub fn stop_all(&self) -> Result<()> {
        let mut outcome = Ok(());
        for server in self.processes.keys().rev() {
            outcome = outcome.and(self.stop(*server));
        }
        outcome
    }

    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    pub(crate) fn servers(&self) -> impl Iterator<Item = Server> {
        self.processes.keys().copied()
    }

    fn signal(&self, server: Server, signal: Signal) -> Result<()> {
        let slot = self.slot(server)?;
        let process = slot.as_ref().ok_or(StackError::NotRunning(server))?;
        process.signal_tree(signal)
    }

    fn slot(&self, server: Server) -> Result<MutexGuard<'_, Option<Process>>> {
        let slot = self
            .processes
            .get(&server)
            .ok_or(StackError::NotRunning(server))?;
        Ok(slot.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn require_free_ports(&self, chosen: &[Server]) -> Result<()> {
        let wanted: Vec<_> = chosen
            .iter()
            .flat_map(|server| servers::definition(*server).ports(&self.site.ports))
            .collect();
        Ok(ports::require_free(&wanted)?)
    }

    fn start_all(&self, chosen: &[Server]) -> Result<()> {
        thread::scope(|scope| {
            let starts: Vec<_> = chosen
                .iter()
                .map(|server| scope.spawn(|| self.start_one(*server)))
                .collect();
            let outcomes = starts.into_iter().map(|start| {
                start
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            // The one that failed tells more than those that were interrupted because of it.
            let failures: Vec<_> = outcomes.filter_map(Result::err).collect();
            first_cause(failures)
        })
    }

    fn start_one(&self, server: Server) -> Result<()> {
        let began = Instant::now();
        let outcome = self.bring_up(server, |launch| Ok(launch));
        match &outcome {
            Ok(()) => self.config.progress.note(&format!(
                "{server} answers after {:.1} s",
                began.elapsed().as_secs_f64()
            )),
            Err(_) => self.config.interrupt.raise(),
        }
        outcome
    }

    fn bring_up(&self, server: Server, wrap: impl Fn(Launch) -> Result<Launch>) -> Result<()> {
        let definition = servers::definition(server);
        let began = Instant::now();
        loop {
            let launch = wrap(definition.prepare(&self.site)?)?;
            let process = Process::start(&self.site.launcher, &launch)?;
            match self.wait_until_ready(server, process) {
                Ok(process) => {
                    definition.furnish(&self.site)?;
                    *self.slot(server)? = Some(process);
                    return Ok(());
                }
                Err(StackError::EndedEarly { .. })
                    if definition.may_end_early() && began.elapsed() < EARLY_END_PATIENCE => {}
                Err(error) => return Err(error),
            }
            thread::sleep(POLL * 10);
        }
    }

    fn wait_until_ready(&self, server: Server, mut process: Process) -> Result<Process> {
        let definition = servers::definition(server);
        let began = Instant::now();
        loop {
            if self.config.interrupt.is_raised() {
                return Err(StackError::Interrupted);
            }
            if let Some(status) = process.ended() {
                return Err(StackError::EndedEarly {
                    name: process.name().to_owned(),
                    status,
                    log_tail: process.log_tail(),
                });
            }
            match definition.probe(&self.site) {
                Ok(()) => return Ok(process),
                Err(last) if began.elapsed() > START_PATIENCE => {
                    return Err(StackError::NotReady {
                        name: process.name().to_owned(),
                        waited: START_PATIENCE,
                        last,
                        log_tail: process.log_tail(),
                    });
                }
                Err(_) => thread::sleep(POLL),
            }
        }
    }
}

fn first_cause(failures: Vec<StackError>) -> Result<()> {
    let mut interrupted = None;
    for failure in failures {
        if matches!(failure, StackError::Interrupted) {
            interrupted = Some(failure);
        } else {
            return Err(failure);
        }
    }
    interrupted.map_or(Ok(()), Err)
}
