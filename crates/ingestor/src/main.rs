//! `ingestor`: Kafka to ClickHouse, exactly once.

use clap::Subcommand;
use ingestor::{
    Config,
    lanes_command::{self, LanesCommand},
    run, topics,
};
use service_runtime::{cli, lifecycle, service};
use std::process::ExitCode;

#[derive(Subcommand)]
enum More {
    /// Makes or checks the Kafka topics.
    #[command(subcommand)]
    Topics(Topics),
    /// Shows the partitions, and decides about those that stand still.
    #[command(subcommand)]
    Lanes(LanesCommand),
}

#[derive(Subcommand)]
enum Topics {
    /// Makes the topics that are missing.
    Create,
    /// Says what is wrong with the topics.
    Check,
}

fn main() -> ExitCode {
    lifecycle::install_crypto_provider();
    cli::main_with(
        service!(),
        run,
        |command: More, config: Config, _| async move {
            match command {
                More::Topics(Topics::Create) => topics::create(&config).await,
                More::Topics(Topics::Check) => topics::check(&config).await,
                More::Lanes(command) => lanes_command::run(command, config).await,
            }
        },
    )
}
