//! `devstack run`: servers, migrations, topics, services and traffic, in this order; then watching
//! over them until somebody says stop.

mod control;
mod member;
mod restarts;
mod screen;
mod services;
mod start;
mod stop;
mod watch;

use std::{path::PathBuf, time::Instant};

pub use control::ask;
pub use services::settings_help;
pub use stop::{clean, holder, stop_supervisor};

use crate::{
    endpoints::Endpoints,
    error::{FileContext as _, Result},
    interrupt::Interrupt,
    ports::Ports,
    process::Process,
    signals,
    stack::PrivateStack,
};
use services::{Service, ServiceSettings};

/// What to run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The stack's directory.
    pub directory: PathBuf,
    /// Run no services, only what they need.
    pub servers_only: bool,
    /// Events per second that the simulator produces; 0 for none.
    pub rate: u32,
}

/// Runs the whole stack in the foreground until a signal ends it.
///
/// # Errors
/// When the start fails, after all that had started was stopped.
pub fn run(options: &RunOptions) -> Result<()> {
    let began = Instant::now();
    let interrupt = Interrupt::default();
    signals::raise_on_signal(interrupt.clone()).on("listen to signals in", &options.directory)?;
    let mut supervisor = start::start(options, &interrupt)?;
    let requests = control::listen(supervisor.stack.directory());
    screen::show(&supervisor, began.elapsed());
    watch::until_interrupted(&mut supervisor, &requests);
    stop::in_order(supervisor)
}

/// The settings by which a service finds the stack that `devstack run` starts.
///
/// # Errors
/// When a port setting is no port.
pub fn environment() -> Result<Vec<(&'static str, String)>> {
    Ok(services::addresses(&Endpoints::of(&Ports::from_env()?)))
}

/// Everything that runs.
#[derive(Debug)]
struct Supervisor {
    // Declared before the stack: when dropped, they go before the servers that they use.
    services: Vec<RunningService>,
    stack: PrivateStack,
    settings: ServiceSettings,
    interrupt: Interrupt,
}

#[derive(Debug)]
struct RunningService {
    service: Service,
    process: Option<Process>,
}
