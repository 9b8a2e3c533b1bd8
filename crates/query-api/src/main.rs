//! The query API as a process.

use std::process::ExitCode;

use clap::Subcommand;
use query_api::{
    Config,
    keys_command::{self, KeysCommand},
    run,
};
use service_runtime::{cli, clock::SystemClock, lifecycle, service};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Subcommand)]
enum More {
    /// Makes API keys.
    #[command(subcommand)]
    Keys(KeysCommand),
}

fn main() -> ExitCode {
    lifecycle::install_crypto_provider();
    cli::main_with(
        service!(),
        run,
        |command: More, config: Config, _| async move {
            let More::Keys(command) = command;
            keys_command::run(command, &config, &SystemClock).await
        },
    )
}
