//! `simulator history`

use super::story::{DAY_MS, StoryOptions};
use clap::Args;
use simulator::{Config, Simulation, Traffic, rides_for};

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
    #[command(flatten)]
    story: StoryOptions,
}

impl History {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (span, config) = self.story.begin(self.days);
        let config = Config {
            pings_since_ms: span.end_ms - self.location_days * DAY_MS,
            ..config
        };
        let rides = rides_for(self.events, &config);
        let story = Simulation::new(&Config { rides, ..config });
        let emissions = Traffic::new(story, span.seed, self.story.mess(), Some(span.end_ms));
        self.story.send.send(span, self.events, emissions).await
    }
}
