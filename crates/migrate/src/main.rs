//! Applies the migrations, or tells where they stand.

use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::Subcommand;
use migrate::Config;
use service_runtime::{cli, service};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Subcommand)]
enum Command {
    /// Apply what is missing in PostgreSQL and ClickHouse; what `run` does.
    Up,
    /// Tell what is applied and what is missing; fails if something is.
    Status,
}

async fn up(config: Config) -> anyhow::Result<()> {
    migrate::up(&config).await.map(drop)
}

async fn status(config: Config) -> anyhow::Result<()> {
    let status = migrate::status(&config).await?;
    print!("{status}");
    ensure!(
        status.is_up_to_date(),
        "the schema is not the one of this version"
    );
    Ok(())
}

/// Gives up when the process is told to end: a step that is cut short is done again by the next run.
async fn until_cancelled(
    work: impl Future<Output = anyhow::Result<()>>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let done = shutdown.run_until_cancelled(work).await;
    done.context("interrupted; run it again to go on")?
}

fn main() -> ExitCode {
    cli::main_with(
        service!(),
        |config, shutdown| until_cancelled(up(config), shutdown),
        |command, config, shutdown| async move {
            match command {
                Command::Up => until_cancelled(up(config), shutdown).await,
                Command::Status => until_cancelled(status(config), shutdown).await,
            }
        },
    )
}
