//! `simulator produce`

use super::now_ms;
use super::options::{MessOptions, instant};
use super::send::{SendOptions, Span};
use clap::Args;
use simulator::{Config, Exactly};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[derive(Debug, Args)]
pub(super) struct Produce {
    /// How many records, duplicates and malformed ones included
    #[arg(long)]
    count: u64,
    /// Where chance begins: the same seed and end give the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many days the story takes
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=29))]
    days: i64,
    /// When it ends, RFC 3339; now if absent
    #[arg(long, value_parser = instant)]
    end: Option<i64>,
    #[command(flatten)]
    mess: MessOptions,
    #[command(flatten)]
    send: SendOptions,
}

impl Produce {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let end_ms = self.end.unwrap_or_else(now_ms);
        let start_ms = end_ms - self.days * DAY_MS;
        let config = Config {
            disorder: self.mess.disorder(),
            ..Config::new(self.seed, start_ms, end_ms, 0)
        };
        let mess = self.mess.mess(&self.send.kafka);
        let count = self.count;
        let exactly =
            tokio::task::spawn_blocking(move || Exactly::new(count, &config, mess)).await?;
        let span = Span {
            seed: self.seed,
            start_ms,
            end_ms,
        };
        self.send.send(span, count, exactly.emissions()).await
    }
}
