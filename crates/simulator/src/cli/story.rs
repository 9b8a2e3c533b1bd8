//! Options of the stories that have an end.

use super::now_ms;
use super::options::{MessOptions, instant};
use super::send::{SendOptions, Span};
use clap::Args;
use simulator::{Config, Mess};

pub(super) const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[derive(Debug, Args)]
pub(super) struct StoryOptions {
    /// Where chance begins: the same seed and end give the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When it ends, RFC 3339; now if absent
    #[arg(long, value_parser = instant)]
    end: Option<i64>,
    #[command(flatten)]
    mess: MessOptions,
    #[command(flatten)]
    pub(super) send: SendOptions,
}

impl StoryOptions {
    /// A story of so many days, still without rides.
    pub(super) fn begin(&self, days: i64) -> (Span, Config) {
        let end_ms = self.end.unwrap_or_else(now_ms);
        let span = Span {
            seed: self.seed,
            start_ms: end_ms - days * DAY_MS,
            end_ms,
        };
        let config = Config {
            disorder: self.mess.disorder(),
            ..Config::new(span.seed, span.start_ms, span.end_ms, 0)
        };
        (span, config)
    }

    /// What goes wrong on the way.
    pub(super) fn mess(&self) -> Mess {
        self.mess.mess(&self.send.kafka)
    }
}
