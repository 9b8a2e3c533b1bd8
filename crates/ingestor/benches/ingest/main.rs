//! What a record costs, beside what it would cost otherwise.
//!
//! `make bench-ingest` makes a stack of its own, lets the simulator fill the six topics once, and has them read by
//!
//! - **ours**: the real `ingestor`, validation, exactly-once, all tables and aggregates;
//! - **engine**: ClickHouse's own `Kafka` table engine into the same input tables and thus the same tables and views,
//!   with its default settings, with some that make it as fresh as ours, and with the best that were found. It parses and
//!   nothing more: no validation, no duplicates, no dead letters, no regions from coordinates, and a crash may repeat or
//!   lose a block;
//! - **reader**: a bare librdkafka consumer with our settings that does nothing with the records;
//! - **insert**: Native blocks that were encoded beforehand, into all tables and aggregates, and into the tables alone.
//!
//! CPU is that of `/proc/PID/stat`, threads and children included, from the start of a scenario until everything is
//! durable; *after* is what is still done until nothing is merged any more and, in ours, the regions are settled. What is
//! merged because it has rested for an hour is in no figure. Rates count from the moment in which the reading program says
//! that it is ready.
//!
//! `make bench-calm` keeps the whole stack under a steady rate instead: see [`calm`].
//!
//! Either ends with its bars; with `BENCH=--check` one that is missed is a failure.
//!
//! To see where the ingestor's time goes: `make bench-ingest BENCH="--only ours --perf ingestor.perf"`, then
//! `perf report -i ingestor.perf --no-children` (`apt-get install linux-perf`; build with
//! `CARGO_PROFILE_RELEASE_DEBUG=line-tables-only` to see lines).

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark is about the machine's clock"
)]

mod account;
mod arguments;
mod bare_insert;
mod bars;
mod blocks;
mod calm;
mod figure;
mod kafka_engine;
mod merges;
mod ours;
mod parts;
mod probes;
mod program;
mod reader;
mod rig;
mod traffic;
mod usage;

use anyhow::Context as _;
use arguments::{Arguments, Scenario};
use bars::Bar;
use clap::Parser as _;
use figure::Figure;
use rig::Rig;
use traffic::Traffic;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    service_runtime::lifecycle::install_crypto_provider();
    let rig = Rig::start()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(async {
        match arguments.calm {
            Some(_) => calm::run(&rig, &arguments).await,
            None => compare(&rig, &arguments).await,
        }
    });
    rig.stop().context("the stack did not stop")?;
    bars::judge(outcome?, arguments.check)
}

async fn compare(rig: &Rig, arguments: &Arguments) -> anyhow::Result<Vec<Bar>> {
    let traffic = Traffic::produce(rig, arguments).await?;
    let mut figures = vec![traffic.figure.clone()];
    let outcome = measure(rig, arguments, &traffic, &mut figures).await;
    // what was measured before a failure is shown with it
    Figure::print_all(&figures)?;
    outcome?;
    Ok(bars_of(&figures))
}

fn bars_of(figures: &[Figure]) -> Vec<Bar> {
    let named = |label| figures.iter().find(|figure| figure.scenario == label);
    let ours = named(ours::LABEL);
    let rate = ours.map(|ours| ours.events_per_second);
    let peak = ours.and_then(|ours| ours.peak_rss_mib);
    // the bar is in MB
    let peak = peak.map(|mib| mib * 1.048_576);
    let mut bars = vec![
        Bar::new("events end to end", rate, 80_000.0.., "events/s"),
        Bar::new("peak memory of the ingestor", peak, ..512.0, "MB"),
    ];
    for label in kafka_engine::labels() {
        let both = ours.zip(named(label));
        let share = both.map(|(ours, engine)| 100.0 * ours.whole_cpu() / engine.whole_cpu());
        let what = format!("CPU of ours beside {label} (a quarter is the aim)");
        bars.push(Bar::new(what, share, ..=50.0, "%"));
    }
    bars
}

async fn measure(
    rig: &Rig,
    arguments: &Arguments,
    traffic: &Traffic,
    figures: &mut Vec<Figure>,
) -> anyhow::Result<()> {
    for scenario in &arguments.only {
        match scenario {
            Scenario::Reader => figures.push(reader::run(rig, traffic, arguments)?),
            Scenario::Ours => figures.push(ours::run(rig, traffic, arguments).await?),
            Scenario::Insert => figures.extend(bare_insert::run(rig, traffic, arguments).await?),
            Scenario::Engine => figures.extend(kafka_engine::run(rig, traffic, arguments).await?),
        }
    }
    Ok(())
}
