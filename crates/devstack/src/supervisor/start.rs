//! The start, in the order in which things need each other.

use std::{sync::Arc, time::Duration};

use super::{
    RunOptions, RunningService, Supervisor,
    services::{Service, ServiceSettings, addresses},
};
use crate::{
    config::StackConfig,
    error::{Result, StackError},
    interrupt::Interrupt,
    ports::Ports,
    process::{Launch, Process},
    progress::{Progress as _, Terminal},
    ready,
    stack::PrivateStack,
};

/// How long a service may take until it is ready.
const SERVICE_PATIENCE: Duration = Duration::from_secs(60);

/// Programs that prepare the servers for the services, in order.
const TASKS: [(&str, &[&str]); 2] = [("migrate", &["up"]), ("ingestor", &["topics", "create"])];

pub(super) fn start(options: &RunOptions, interrupt: &Interrupt) -> Result<Supervisor> {
    let settings = ServiceSettings::from_env(options.rate)?;
    if !options.servers_only {
        require_built(&settings)?;
    }
    let other_ports = if options.servers_only {
        Vec::new()
    } else {
        settings.ports()
    };
    let stack = PrivateStack::start(StackConfig {
        directory: Some(options.directory.clone()),
        ports: Some(Ports::from_env()?),
        other_ports,
        progress: Arc::new(Terminal),
        interrupt: interrupt.clone(),
        ..StackConfig::default()
    })?;
    let mut supervisor = Supervisor {
        services: Vec::new(),
        stack,
        settings,
        interrupt: interrupt.clone(),
    };
    if !options.servers_only {
        supervisor.run_tasks()?;
        supervisor.start_services()?;
    }
    Ok(supervisor)
}

fn require_built(settings: &ServiceSettings) -> Result<()> {
    let services = settings.services();
    let names = services
        .iter()
        .map(|service| service.name())
        .chain(TASKS.iter().map(|(program, _)| *program));
    for name in names {
        if !settings.binaries.join(name).exists() {
            return Err(StackError::MissingProgram {
                program: settings.binaries.join(name).display().to_string(),
                hint: "`make run` builds it",
            });
        }
    }
    Ok(())
}

impl Supervisor {
    fn run_tasks(&self) -> Result<()> {
        for (program, arguments) in TASKS {
            let site = self.stack.site();
            let name = format!("{program} {}", arguments.join(" "));
            let launch = Launch {
                program: self.settings.binaries.join(program),
                arguments: arguments.iter().map(Into::into).collect(),
                environment: addresses(self.stack.endpoints()),
                user: None,
                working_directory: site.directory.clone(),
                log: site.log(&name.replace(' ', "-"))?,
                name,
            };
            let mut process = Process::start(&site.helpers.launcher, &launch)?;
            ready::wait_until_done(&mut process, &self.interrupt)?;
            Terminal.note(&format!("{} is done", launch.name));
        }
        Ok(())
    }

    fn start_services(&mut self) -> Result<()> {
        // All of them first, then the waiting: they come up side by side.
        for service in self.settings.services() {
            let process = self.spawn(service)?;
            self.services.push(RunningService {
                service,
                process: Some(process),
            });
        }
        for running in &mut self.services {
            if let Some(process) = &mut running.process {
                let service = running.service;
                ready::wait_until_ready(process, SERVICE_PATIENCE, &self.interrupt, || {
                    service.probe(&self.settings)
                })?;
                Terminal.note(&format!("{} is ready", service.name()));
            }
        }
        Ok(())
    }

    /// Starts the service without waiting for it.
    pub(super) fn spawn(&self, service: Service) -> Result<Process> {
        let site = self.stack.site();
        let launch = service.launch(site, &self.settings, self.stack.endpoints())?;
        Process::start(&site.helpers.launcher, &launch)
    }
}
