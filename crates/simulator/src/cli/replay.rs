//! `simulator replay`

use super::now_ms;
use super::send::{SendOptions, Span};
use anyhow::Context as _;
use clap::Args;
use simulator::replay::{self, TripTable, find_trips, read_trips};
use simulator::{Mess, Traffic};
use std::path::PathBuf;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Nigeria keeps UTC+1 all year.
const LAGOS_MS: i64 = 60 * 60 * 1000;

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// One trip is told for so many that were counted
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    scale: u32,
    /// Where chance begins
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The table of trips, as .csv or in its package; downloaded once if absent
    #[arg(long)]
    trips: Option<PathBuf>,
    /// The Monday of the week in which the trips take place; if absent, that of the last week that is over by a day
    #[arg(long)]
    monday: Option<chrono::NaiveDate>,
    #[command(flatten)]
    send: SendOptions,
}

impl Replay {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let trips = self.trips.clone();
        let table = tokio::task::spawn_blocking(move || load(trips)).await??;
        let monday_ms = self
            .monday
            .map_or_else(|| last_monday(now_ms()), local_midnight);
        let story = replay::Replay::new(self.seed, &table, self.scale, monday_ms);
        println!(
            "{} rows of {} trips, at 1:{}: {} trips",
            table.rows(),
            table.trips(),
            self.scale,
            story.trips()
        );
        let span = Span {
            seed: self.seed,
            start_ms: monday_ms - DAY_MS,
            end_ms: monday_ms + 7 * DAY_MS,
        };
        // Seven records tell a trip, and payments fail now and then.
        let expected = story.trips() * 15 / 2;
        let emissions = Traffic::new(story, self.seed, Mess::NONE, None);
        self.send.send(span, expected, emissions).await
    }
}

fn load(trips: Option<PathBuf>) -> anyhow::Result<TripTable> {
    if let Some(path) = trips {
        return Ok(read_trips(&path)?);
    }
    let table = read_trips(&find_trips(&cache()?)?)?;
    table.check_published()?;
    Ok(table)
}

fn cache() -> anyhow::Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    let base = base.or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
    Ok(base
        .context("no home directory; pass the file with --trips")?
        .join("openride-simulator"))
}

fn local_midnight(date: chrono::NaiveDate) -> i64 {
    date.and_time(chrono::NaiveTime::MIN)
        .and_utc()
        .timestamp_millis()
        - LAGOS_MS
}

/// The Monday of the last week that ended at least a day ago: by then its last trips have arrived.
fn last_monday(now_ms: i64) -> i64 {
    // 1970-01-05 was a Monday.
    let week_ms = 7 * DAY_MS;
    let since_monday = now_ms - DAY_MS + LAGOS_MS - 4 * DAY_MS;
    (since_monday.div_euclid(week_ms) - 1) * week_ms + 4 * DAY_MS - LAGOS_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_week_is_over_by_a_day() {
        let date = |text: &str| local_midnight(text.parse().unwrap());
        // 2024-03-11 is a Monday.
        assert_eq!(last_monday(date("2024-03-12")), date("2024-03-04"));
        assert_eq!(last_monday(date("2024-03-12") - 1), date("2024-02-26"));
        assert_eq!(last_monday(date("2024-03-18")), date("2024-03-04"));
    }
}
