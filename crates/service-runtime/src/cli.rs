//! The command line that all services share, so that a `main.rs` only says what is special.
//!
//! ```no_run
//! # mod ingestor {
//! #     use service_runtime::{cli::ServiceSettings, config::Settings, telemetry::TelemetryConfig};
//! #     #[derive(Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
//! #     #[serde(deny_unknown_fields, default)]
//! #     pub struct Config { telemetry: TelemetryConfig }
//! #     impl Settings for Config {}
//! #     impl ServiceSettings for Config {
//! #         fn telemetry(&self) -> &TelemetryConfig { &self.telemetry }
//! #     }
//! #     pub async fn run(_: Config, _: tokio_util::sync::CancellationToken) -> anyhow::Result<()> { Ok(()) }
//! # }
//! use std::process::ExitCode;
//!
//! use service_runtime::{cli, service};
//!
//! fn main() -> ExitCode {
//!     cli::main(service!(), ingestor::run)
//! }
//! ```

mod arguments;
mod config_command;

use std::{future::Future, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use self::arguments::Command;
pub use self::{arguments::NoMoreCommands, config_command::ConfigCommand};
use crate::{
    config::{ConfigError, Loaded, Loader, Settings, redacted},
    lifecycle,
    telemetry::{self, TelemetryConfig},
};

/// How long blocking work that nobody waits for may go on after the service has returned.
const STRAGGLERS: Duration = Duration::from_secs(5);

/// The exit status after a mistake in the arguments or the configuration, as clap has it.
const USAGE: u8 = 2;

/// The name of a program and of what it is; [`service!`](crate::service) takes it from the package.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// The name of the program.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
}

/// The [`Service`](crate::cli::Service) that the calling package describes.
#[macro_export]
macro_rules! service {
    () => {
        $crate::cli::Service {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            about: env!("CARGO_PKG_DESCRIPTION"),
        }
    };
}

/// The configuration of a whole program.
pub trait ServiceSettings: Settings {
    /// Its section for logs, metrics and traces.
    fn telemetry(&self) -> &TelemetryConfig;
}

/// The `main` of a service with the commands `run` (which may be left out) and `config`.
pub fn main<T, Run, Running>(service: Service, run: Run) -> ExitCode
where
    T: ServiceSettings,
    Run: FnOnce(T, CancellationToken) -> Running,
    Running: Future<Output = anyhow::Result<()>>,
{
    main_with(
        service,
        run,
        |command: NoMoreCommands, _: T, _| async move { match command {} },
    )
}

/// The `main` of a service that has commands of its own besides `run` and `config`.
pub fn main_with<T, C, Run, Running, More, Commanding>(
    service: Service,
    run: Run,
    more: More,
) -> ExitCode
where
    T: ServiceSettings,
    C: clap::Subcommand,
    Run: FnOnce(T, CancellationToken) -> Running,
    Running: Future<Output = anyhow::Result<()>>,
    More: FnOnce(C, T, CancellationToken) -> Commanding,
    Commanding: Future<Output = anyhow::Result<()>>,
{
    let arguments = arguments::parse::<C>(service);
    let file = arguments.config;
    match arguments.command.unwrap_or(Command::Run) {
        Command::Config(command) => reported(USAGE, command.run::<T>(service.name, file)),
        // only of a service: a command's output is for a person
        Command::Run => start(service, file, |config, shutdown| async move {
            info!(version = service.version, config = %redacted(&config)?, "starting");
            run(config, shutdown).await?;
            info!("ended");
            Ok(())
        }),
        Command::More(command) => start(service, file, |config, shutdown| {
            more(command, config, shutdown)
        }),
    }
}

/// Loads the configuration, sets the process up and runs it to its end.
fn start<T, Run, Running>(service: Service, file: Option<PathBuf>, run: Run) -> ExitCode
where
    T: ServiceSettings,
    Run: FnOnce(T, CancellationToken) -> Running,
    Running: Future<Output = anyhow::Result<()>>,
{
    let loaded = match load::<T>(file) {
        Ok(loaded) => loaded,
        Err(error) => return reported(USAGE, Err(error.into())),
    };
    let telemetry = telemetry::init(service.name, service.version, loaded.config.telemetry());
    let _telemetry = match telemetry {
        Ok(guard) => guard,
        Err(error) => return reported(USAGE, Err(error.into())),
    };
    telemetry::log_panics();
    match run_to_end(loaded.config, run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(error = format!("{error:#}"), "the service failed");
            ExitCode::FAILURE
        }
    }
}

fn run_to_end<T, Run, Running>(config: T, run: Run) -> anyhow::Result<()>
where
    Run: FnOnce(T, CancellationToken) -> Running,
    Running: Future<Output = anyhow::Result<()>>,
{
    let runtime = tokio::runtime::Runtime::new().context("the async runtime cannot be started")?;
    let result = runtime.block_on(async {
        let shutdown = lifecycle::shutdown_signal().context("signals cannot be listened to")?;
        run(config, shutdown).await
    });
    runtime.shutdown_timeout(STRAGGLERS);
    result
}

fn load<T: Settings>(file: Option<PathBuf>) -> Result<Loaded<T>, ConfigError> {
    Loader::from_process(file).load()
}

/// Tells a person on standard error why a command failed.
fn reported(failure: u8, result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(failure)
        }
    }
}
