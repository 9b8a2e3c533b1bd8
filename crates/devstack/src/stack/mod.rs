//! A stack of servers of one's own, each of which can be stopped, killed and brought back.

mod bring_up;
mod control;

use std::{
    collections::BTreeMap,
    path::Path,
    process::ExitStatus,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    cache::Cache,
    command::Helpers,
    config::StackConfig,
    directory::StackDirectory,
    endpoints::Endpoints,
    error::{Result, StackError},
    launcher,
    ports::{self, Ports},
    process::Process,
    server::Server,
    servers::{self, Site},
};

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
        let helpers = Helpers {
            launcher: launcher::find_launcher()?,
            interrupt: config.interrupt.clone(),
        };
        let site = Site {
            directory: directory.path().to_owned(),
            ports: config.ports.map_or_else(Ports::free, Ok)?,
            cache: Cache::of_this_user(helpers.clone()),
            helpers,
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
    pub fn directory(&self) -> &Path {
        &self.site.directory
    }

    /// The process id of the server itself.
    ///
    /// # Errors
    /// When the server is not running.
    pub fn pid(&self, server: Server) -> Result<u32> {
        let slot = self.slot(server)?;
        let process = slot.as_ref().ok_or(StackError::NotRunning(server))?;
        Ok(process.pid())
    }

    /// Whether the server's process exists.
    #[must_use]
    pub fn is_running(&self, server: Server) -> bool {
        self.slot(server).is_ok_and(|mut slot| {
            slot.as_mut()
                .is_some_and(|process| process.ended().is_none())
        })
    }

    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    pub(crate) fn servers(&self) -> impl Iterator<Item = Server> {
        self.processes.keys().copied()
    }

    /// How the server's process ended by itself; `None` while it runs or after it was stopped.
    pub(crate) fn ended(&self, server: Server) -> Option<ExitStatus> {
        self.slot(server).ok()?.as_mut()?.ended()
    }

    fn slot(&self, server: Server) -> Result<MutexGuard<'_, Option<Process>>> {
        let slot = self
            .processes
            .get(&server)
            .ok_or(StackError::NotRunning(server))?;
        Ok(slot.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn require_free_ports(&self, chosen: &[Server]) -> Result<()> {
        let mut wanted = self.config.other_ports.clone();
        for server in chosen {
            wanted.extend(servers::definition(*server).ports(&self.site.ports));
        }
        Ok(ports::require_free(&wanted)?)
    }
}
