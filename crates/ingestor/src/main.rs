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

/// The buffers of a batch are some tens of megabytes. They come from the system whole and go back to it whole; the
/// allocator would otherwise learn to cut them from heaps that only grow, one per thread.
#[cfg(target_env = "gnu")]
#[expect(
    unsafe_code,
    reason = "the C library has no safe interface to its settings"
)]
fn keep_memory_small() {
    const LARGE: libc::c_int = 1 << 20;
    const HEAPS: libc::c_int = 2;
    // SAFETY: mallopt sets a number of the allocator; a value that it does not know is refused, not misused.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_ARENA_MAX, HEAPS);
    }
}

fn main() -> ExitCode {
    #[cfg(target_env = "gnu")]
    keep_memory_small();
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
