//! A whole service in one file: what the real ones spread over `lib.rs`, `config.rs` and `main.rs`.
//! The tests of this crate start it as a process.

use std::{process::ExitCode, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::{
    cli::{self, Service, ServiceSettings},
    config::{ByteSize, HumanDuration, Problem, Secret, Settings},
    health::{self, AdminConfig, HealthState, Heartbeat},
    telemetry::{self, TelemetryConfig},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, info_span};

/// Settings of the minimal service.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Config {
    admin: AdminConfig,
    telemetry: TelemetryConfig,
    work: Work,
}

/// The work that is done over and over.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Work {
    /// Pause between two turns.
    interval: HumanDuration,
    /// How long the drain takes.
    drain: HumanDuration,
    /// Memory that one turn may use.
    memory: ByteSize,
    /// Token of the partner's interface.
    token: Secret,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            admin: AdminConfig::on_port(9199),
            telemetry: TelemetryConfig::default(),
            work: Work::default(),
        }
    }
}

impl Default for Work {
    fn default() -> Self {
        Self {
            interval: HumanDuration::millis(20),
            drain: HumanDuration::millis(0),
            memory: ByteSize::mib(1),
            token: Secret::default(),
        }
    }
}

impl Settings for Work {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        match self.interval.is_zero() {
            true => Err(vec![Problem::new("interval", "must be longer than 0s")]),
            false => Ok(()),
        }
    }
}

impl Settings for Config {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        Problem::of_sections([
            ("telemetry", self.telemetry.validate()),
            ("work", self.work.validate()),
        ])
    }
}

impl ServiceSettings for Config {
    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Panic, to see where that is reported.
    Panic,
}

async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let heartbeat = Heartbeat::new();
    let health = HealthState::builder("minimal-service", env!("CARGO_PKG_VERSION"))
        .watch("work", &heartbeat, Duration::from_secs(10))
        .build();
    let drained = CancellationToken::new();
    let admin = health::bind(config.admin.listen, &health)?;
    let admin = tokio::spawn(admin.run(drained.clone()));
    work(&config.work, &heartbeat, &shutdown).await;
    health.start_draining();
    tokio::time::sleep(*config.work.drain).await;
    drained.cancel();
    Ok(admin.await??)
}

async fn work(config: &Work, heartbeat: &Heartbeat, shutdown: &CancellationToken) {
    let turns = telemetry::meter().u64_counter("work.turns").build();
    loop {
        let span = info_span!("turn");
        span.in_scope(|| turns.add(1, &[]));
        heartbeat.beat();
        tokio::select! {
            () = tokio::time::sleep(*config.interval) => {}
            () = shutdown.cancelled() => break,
        }
    }
    info!("work ended");
}

#[expect(clippy::panic, reason = "the command exists to show a panic")]
async fn command(command: Command, _: Config, _: CancellationToken) -> anyhow::Result<()> {
    match command {
        Command::Panic => panic!("first line\nsecond line"),
    }
}

fn main() -> ExitCode {
    let service = Service {
        name: "minimal-service",
        version: env!("CARGO_PKG_VERSION"),
        about: "Does nothing over and over.",
    };
    cli::main_with(service, run, command)
}
