//! How fast the endpoints answer over 90 days and 5 million events, beside the same statements sent straight to
//! ClickHouse: `make bench-queries`.
//!
//! ```text
//! simulator ─► Kafka ─► ingestor ─► ClickHouse ◄── API ◄── requests, one after the other
//!                                       ▲
//!                                       └── what ClickHouse logged of them, sent again
//! ```
//!
//! Nobody is asked for a key and nothing is kept, so that what is measured is how answers are made. One request follows
//! the other: requests per second are those of one client.
//!
//! The filled stack stays in the build directory and serves for some days. Its aggregates are merged first, as they are some
//! hours after a backlog was read; `BENCH=--unmerged`, with a stack that is filled anew, shows what it is like before.
//! `make bench-queries BENCH="--events 1000000 --requests 100"` changes the sizes.
//! It ends with its bars; with `BENCH=--check` one that is missed is a failure.

#[path = "../../../ingestor/benches/ingest/bars.rs"]
mod bars;
mod cases;
mod fill;
mod kept;
mod measure;
mod straight;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::Parser;
use devstack::{PrivateStack, Server, StackConfig};
use serde_json::Value;
use service_runtime::{clock::ManualClock, lifecycle};
use tokio_util::sync::CancellationToken;

use crate::{bars::Bar, cases::Case, fill::Filled, measure::Measured};

/// With so many events at most, a metric is promised in 100 ms.
const PROMISED: u64 = 5_000_000;

/// Measures how fast the API answers.
#[derive(Debug, Parser)]
#[command(name = "bench-queries")]
struct Arguments {
    /// About how many events are stored
    #[arg(long, default_value_t = PROMISED)]
    events: u64,
    /// How often each form is asked for
    #[arg(long, default_value_t = 100)]
    requests: usize,
    /// Leave the aggregates in the parts that the writing of the history left, as they are in the first hour after it
    #[arg(long)]
    unmerged: bool,
    /// Only forms whose name has this in it, as funnel or hourly
    #[arg(long, default_value = "")]
    only: String,
    /// Measure answers that are kept instead, for so many seconds
    #[arg(long)]
    kept: Option<u64>,
    /// Fail if a bar is missed
    #[arg(long)]
    check: bool,
    /// What cargo passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments {
        events,
        requests,
        unmerged,
        only,
        kept,
        check,
        ..
    } = Arguments::parse();
    lifecycle::install_crypto_provider();
    let directory = fill::directory(events)?;
    let filled = Filled::read(&directory);
    let servers = StackConfig {
        directory: Some(directory.clone()),
        ..StackConfig::only(&Server::ALL)
    };
    let stack = tokio::task::spawn_blocking(move || PrivateStack::start(servers)).await??;
    let config = fill::api_config(&stack)?;
    // A filled stack may be of an older version.
    fill::migrate(&stack)?;
    let filled = match filled {
        Some(filled) => filled,
        None => fill::fill(&stack, &config, &directory, events).await?,
    };
    if !unmerged {
        fill::merge(&config).await?;
    }
    if let Some(seconds) = kept {
        let bars = kept::measured(&stack, filled.end, Duration::from_secs(seconds)).await?;
        return bars::judge(bars, check);
    }
    let api = query_api::bind(&config, Arc::new(ManualClock::at(filled.end)))?;
    let base = format!("http://{}/v1/", api.local_addr());
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(api.run(shutdown.clone()));
    let mut cases = cases::all(filled.end);
    let opened: Value = reqwest::get(format!("{base}{}", cases::listed(filled.end)))
        .await?
        .json()
        .await?;
    let cell = opened.pointer(&format!("/cells/{}", cases::LISTED));
    let cell = cell.and_then(Value::as_str);
    cases.push(cases::page(cell.context("no cell was made")?));
    cases.extend(cases::others());
    cases.retain(|case| case.name().contains(&only));
    let is_promised = events <= PROMISED;
    let bars = measured(&config, &base, &cases, requests, is_promised).await?;
    shutdown.cancel();
    running.await??;
    bars::judge(bars, check)
}

async fn measured(
    config: &query_api::Config,
    base: &str,
    cases: &[Case],
    requests: usize,
    is_promised: bool,
) -> anyhow::Result<Vec<Bar>> {
    let bench = measure::Bench::new(&config.clickhouse, base, requests)?;
    println!("{}", Measured::HEADER);
    let mut bars = Vec::new();
    for case in cases {
        let measured = bench.measure(case).await?;
        println!("{}", measured.row(case));
        let what = format!("p95 of {}", case.name());
        if let Some(ratio) = measured.ratio_of_p95() {
            let straight = format!("{what} beside its statements");
            bars.push(Bar::new(straight, ratio, ..=1.2, "times"));
        }
        if case.is_metric && is_promised {
            let p95 = measured.p95.as_secs_f64() * 1e3;
            bars.push(Bar::new(what, p95, ..100.0, "ms"));
        }
    }
    Ok(bars)
}
