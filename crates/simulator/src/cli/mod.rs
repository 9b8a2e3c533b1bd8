//! The command line.

mod history;
mod live;
mod options;
mod produce;
mod replay;
mod send;
mod story;

use clap::{Parser, Subcommand};
use std::time::{SystemTime, UNIX_EPOCH};

/// A deterministic OpenRide that sends its events to Kafka.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Steady traffic from now on, until it is stopped
    Live(live::Live),
    /// The past weeks, as fast as it goes
    History(history::History),
    /// A week of real trips that were counted in New York, brought to Nigeria
    Replay(replay::Replay),
    /// An exact number of records with their answer key, for tests
    Produce(produce::Produce),
}

impl Cli {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Live(command) => command.run().await,
            Command::History(command) => command.run().await,
            Command::Replay(command) => command.run().await,
            Command::Produce(command) => command.run().await,
        }
    }
}

/// The present, in milliseconds since 1970: the only look at a clock in the whole program.
#[expect(
    clippy::disallowed_methods,
    reason = "the simulator is no service; everything below takes the time as a number"
)]
fn now_ms() -> i64 {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}
