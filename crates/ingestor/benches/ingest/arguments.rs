//! The command line.

use clap::{Parser, ValueEnum};
use std::{path::PathBuf, time::Duration};

/// Measures what ingestion costs.
#[derive(Debug, Parser)]
#[command(name = "bench-ingest")]
pub(crate) struct Arguments {
    /// About how many events are read
    #[arg(long, default_value_t = 2_000_000)]
    pub(crate) events: u64,
    /// Over how many days their times are spread, up to now
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=29))]
    pub(crate) days: i64,
    /// Where chance begins
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Which scenarios, in this order
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Scenario::ALL)]
    pub(crate) only: Vec<Scenario>,
    /// Seconds after which a scenario has failed
    #[arg(long, default_value_t = 600)]
    limit: u64,
    /// Record the ingestor's profile to this file
    #[arg(long)]
    pub(crate) perf: Option<PathBuf>,
    /// Measure the whole stack for so many seconds under a steady rate, instead
    #[arg(long, value_parser = clap::value_parser!(u64).range(5..=7200))]
    pub(crate) calm: Option<u64>,
    /// Events per second of the calm
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub(crate) rate: u32,
    /// A setting of the ingestor other than its default, such as OPENRIDE_BATCH_MAX_ROWS=80000
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<(String, String)>,
    /// Seconds before the calm is measured
    #[arg(long, default_value_t = 20)]
    pub(crate) warm_up: u64,
    /// Fail if a bar is missed or was not measured
    #[arg(long)]
    pub(crate) check: bool,
    /// What cargo passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// Who reads the topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// A bare consumer
    Reader,
    /// Our ingestor
    Ours,
    /// Nobody: ready blocks are inserted
    Insert,
    /// ClickHouse's own table engine
    Engine,
}

fn setting(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("it must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Scenario {
    const ALL: [Self; 4] = [Self::Reader, Self::Ours, Self::Insert, Self::Engine];
}

impl Arguments {
    /// How long a scenario may take.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(self.limit)
    }
}
