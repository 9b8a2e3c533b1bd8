//! Servers and services alike, by name: whether they run, starting and stopping one of them.

use nix::sys::signal::Signal;

use super::{Supervisor, services::Service, stop::SERVICE_PATIENCE};
use crate::{error::Result, process::Process, server::Server};

/// Something that runs in the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    Server(Server),
    Service(Service),
}

impl Member {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Server(server) => server.name(),
            Self::Service(service) => service.name(),
        }
    }
}

impl Supervisor {
    /// Servers first, each in the order of its start.
    pub(super) fn members(&self) -> Vec<Member> {
        let services = self
            .services
            .iter()
            .map(|running| Member::Service(running.service));
        self.stack
            .servers()
            .map(Member::Server)
            .chain(services)
            .collect()
    }

    pub(super) fn member(&self, name: &str) -> Option<Member> {
        self.members()
            .into_iter()
            .find(|member| member.name() == name)
    }

    /// How the member ended by itself, as text; `None` while it runs or after it was stopped.
    pub(super) fn ended(&mut self, member: Member) -> Option<String> {
        let status = match member {
            Member::Server(server) => self.stack.ended(server),
            Member::Service(service) => self.process(service).and_then(Process::ended),
        };
        status.map(|status| status.to_string())
    }

    /// The member's process, if it runs.
    pub(super) fn pid(&mut self, member: Member) -> Option<u32> {
        match member {
            Member::Server(server) => self
                .stack
                .is_running(server)
                .then(|| self.stack.pid(server).ok())
                .flatten(),
            Member::Service(service) => {
                let process = self.process(service)?;
                process.ended().is_none().then(|| process.pid())
            }
        }
    }

    pub(super) fn start_member(&mut self, member: Member) -> Result<()> {
        match member {
            Member::Server(server) => self.stack.restart(server),
            Member::Service(service) => {
                let process = self.spawn(service)?;
                self.place(service, Some(process));
                Ok(())
            }
        }
    }

    pub(super) fn stop_member(&mut self, member: Member) -> Result<()> {
        match member {
            Member::Server(server) => self.stack.stop(server),
            Member::Service(service) => {
                let outcome = match self.process(service) {
                    Some(process) => process.stop(Signal::SIGTERM, SERVICE_PATIENCE),
                    None => Ok(()),
                };
                self.place(service, None);
                outcome
            }
        }
    }

    fn process(&mut self, service: Service) -> Option<&mut Process> {
        let running = self
            .services
            .iter_mut()
            .find(|running| running.service == service)?;
        running.process.as_mut()
    }

    fn place(&mut self, service: Service, process: Option<Process>) {
        for running in &mut self.services {
            if running.service == service {
                running.process = process;
                return;
            }
        }
    }
}
