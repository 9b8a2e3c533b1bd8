//! `simulator history`

use super::now_ms;
use super::options::{MessOptions, instant};
use super::send::{SendOptions, Span};
use clap::Args;
use simulator::{Config, Simulation, Traffic, rides_for};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[derive(Debug, Args)]
pub(super) struct History {
    /// How many days back it begins
    #[arg(long, default_value_t = 88, value_parser = clap::value_parser!(i64).range(1..=89))]
    days: i64,
    /// How many days back the location pings begin
    #[arg(long, default_value_t = 28, value_parser = clap::value_parser!(i64).range(0..=29))]
    location_days: i64,
    /// About how many records
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Where chance begins: the same seed and end give the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When it ends, RFC 3339; now if absent
    #[arg(long, value_parser = instant)]
    end: Option<i64>,
    #[command(flatten)]
    mess: MessOptions,
    #[command(flatten)]
    send: SendOptions,
}

impl History {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let end_ms = self.end.unwrap_or_else(now_ms);
        let start_ms = end_ms - self.days * DAY_MS;
        let mess = self.mess.mess(&self.send.kafka);
        let config = Config {
            disorder: self.mess.disorder(),
            pings_since_ms: end_ms - self.location_days * DAY_MS,
            ..Config::new(self.seed, start_ms, end_ms, 0)
        };
        let rides = rides_for(self.events, &config);
        let story = Simulation::new(&Config { rides, ..config });
        let emissions = Traffic::new(story, self.seed, mess, Some(end_ms));
        let span = Span {
            seed: self.seed,
            start_ms,
            end_ms,
        };
        self.send.send(span, self.events, emissions).await
    }
}
