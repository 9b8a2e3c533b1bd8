//! Doing to a server what happens to servers.

use nix::sys::signal::Signal;

use super::PrivateStack;
use crate::{
    error::{Result, StackError},
    server::Server,
    servers, strace,
};

impl PrivateStack {
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
        let (signal, patience) = servers::definition(server).end();
        match self.slot(server)?.take() {
            Some(mut process) => process.stop(signal, patience),
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
        self.bring_up(server)
    }

    /// Attaches `strace -f` with these arguments to the running server, for example
    /// `["-e", "trace=rename", "-e", "inject=rename:signal=SIGKILL:when=3"]`; calls are counted from
    /// now on. Dropping the tracer detaches it.
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

    fn signal(&self, server: Server, signal: Signal) -> Result<()> {
        let slot = self.slot(server)?;
        let process = slot.as_ref().ok_or(StackError::NotRunning(server))?;
        process.signal_tree(signal)
    }
}
