//! `simulator`: OpenRide's traffic, for demonstrations, tests and benchmarks.

mod cli;

use clap::Parser as _;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    cli::Cli::parse().run().await
}
