//! `simulator produce`

use super::story::StoryOptions;
use clap::Args;
use simulator::Exactly;

#[derive(Debug, Args)]
pub(super) struct Produce {
    /// How many records, duplicates and malformed ones included
    #[arg(long)]
    count: u64,
    /// How many days the story takes
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=29))]
    days: i64,
    #[command(flatten)]
    story: StoryOptions,
}

impl Produce {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (span, config) = self.story.begin(self.days);
        let mess = self.story.mess();
        let count = self.count;
        let exactly =
            tokio::task::spawn_blocking(move || Exactly::new(count, &config, mess)).await?;
        self.story.send.send(span, count, exactly.emissions()).await
    }
}
