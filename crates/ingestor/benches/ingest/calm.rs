//! The whole stack under a steady rate: `make bench-calm`.
//!
//! The simulator sends so many events a second; the ingestor and the query API run as they do in `make run`. After the
//! warm-up comes the window: records decided, cores used by each process, and active parts at its beginning, middle and
//! end. What is merged once an hour because it has rested is not seen. Only then
//! come the [probes](crate::probes) of visibility, whose questions would otherwise count as use.

use crate::{
    account,
    arguments::Arguments,
    bars::Bar,
    parts::Parts,
    probes::Visibility,
    program::Program,
    rig::Rig,
    usage::{Cpu, between, peak_rss_mib},
};
use anyhow::Context as _;
use event_store::Store;
use serde_json::json;
use std::time::{Duration, Instant};

const DATABASE: &str = "openride_analytics";
/// Visibility is probed for as long as the window at most, and never longer than this.
const PROBING: Duration = Duration::from_secs(60);
/// No batch waits longer.
const BATCH: Duration = Duration::from_secs(6);
/// Whose use is part of the cost of calm.
const OURS: [&str; 4] = ["ingestor", "query-api", "clickhouse", "postgres"];

/// What the window showed.
struct Window {
    seconds: f64,
    /// Records that got their verdict.
    decided: u64,
    cpu: Cpu,
    parts: [Parts; 3],
    peak_rss_mib: Option<f64>,
}

/// Measures the calm.
pub(crate) async fn run(rig: &Rig, arguments: &Arguments) -> anyhow::Result<Vec<Bar>> {
    let window = Duration::from_secs(arguments.calm.context("no length of the calm")?);
    let config = rig.settings(DATABASE)?;
    ingestor::topics::create(&config).await?;
    let store = rig.database(DATABASE).await?;
    metadata_store::migrate(&config.postgres).await?;
    let settings = &arguments.settings;
    let (mut ingestor, _) =
        rig.start_service("ingestor", DATABASE, "OPENRIDE_ADMIN_LISTEN", settings)?;
    let (mut api, url) = rig.start_service("query-api", DATABASE, "OPENRIDE_HTTP_LISTEN", &[])?;
    let (rate, seed) = (arguments.rate.to_string(), arguments.seed.to_string());
    let options = ["live", "--rate", &rate, "--seed", &seed];
    let mut simulator = rig.start_program("simulator", &options, DATABASE, &[])?;
    println!(
        "{rate} events/s, warming up for {} s, then {window:?}",
        arguments.warm_up
    );
    wait(
        Duration::from_secs(arguments.warm_up),
        &mut [&mut ingestor, &mut api, &mut simulator],
    )
    .await?;

    let watched = rig
        .servers()?
        .and("ingestor", ingestor.pid())
        .and("query-api", api.pid())
        .and("simulator", simulator.pid());
    let (start, before, began) = (Parts::count(&store).await?, watched.cpu(), Instant::now());
    let decided_before = decided(&store).await?;
    let programs = &mut [&mut ingestor, &mut api, &mut simulator];
    wait(window / 2, programs).await?;
    let middle = Parts::count(&store).await?;
    wait(window / 2, programs).await?;
    let seen = Window {
        seconds: began.elapsed().as_secs_f64(),
        decided: decided(&store).await? - decided_before,
        cpu: between(&before, &watched.cpu()),
        parts: [start, middle, Parts::count(&store).await?],
        peak_rss_mib: peak_rss_mib(ingestor.pid()),
    };
    account::print(&store, "from the start").await?;
    println!("probing visibility");
    let visibility =
        tokio::task::block_in_place(|| Visibility::measure(&config, &url, window.min(PROBING)))?;
    let bars = report(arguments.rate, &seen, &visibility);
    for program in [&mut simulator, &mut api, &mut ingestor] {
        program.stop()?;
    }
    Ok(bars)
}

/// Waits; fails if a program ends meanwhile.
async fn wait(time: Duration, programs: &mut [&mut Program]) -> anyhow::Result<()> {
    let began = Instant::now();
    while began.elapsed() < time {
        for program in &mut *programs {
            program.expect_running()?;
        }
        let left = time.saturating_sub(began.elapsed());
        tokio::time::sleep(left.min(Duration::from_secs(1))).await;
    }
    Ok(())
}

/// How many records the ledger tells of.
async fn decided(store: &Store) -> anyhow::Result<u64> {
    let sql = "SELECT sum(accepted + duplicate + dead_lettered) FROM ingest_ledger";
    Ok(store.query(sql).fetch_one().await?)
}

fn report(rate: u32, seen: &Window, visibility: &Visibility) -> Vec<Bar> {
    let cores = |name: &str| seen.cpu.get(name).copied().unwrap_or(0.0) / seen.seconds;
    let ours: f64 = OURS.iter().map(|name| cores(name)).sum();
    println!(
        "\nAt {rate} events/s, over {:.0} s, cores used:",
        seen.seconds
    );
    for name in OURS.iter().chain(&["kafka", "simulator"]) {
        println!("  {name:<12} {:.3}", cores(name));
    }
    println!(
        "  services and ClickHouse and PostgreSQL: {ours:.3}; with Kafka: {:.3}",
        ours + cores("kafka")
    );
    println!("  not counted: Redis and the supervisor of `make run`, which do not run here");
    let decided_per_second = seen.decided as f64 / seen.seconds;
    println!("records decided: {decided_per_second:.0} a second");
    let [start, middle, end] = &seen.parts;
    println!("active parts at the start:      {start}");
    println!("             in the middle:     {middle}");
    println!("             at the end:        {end}");
    // Sixteen of a size are merged into the next: of four sizes, which a day of batches makes, there are so many at most.
    let what = "parts of a partition at the end, without the waiting tables";
    let piled = Bar::new(what, end.most_in_a_partition() as f64, ..=64.0, "parts");
    println!(
        "visible in the API after ({} probes): p50 {:.2} s, p99 {:.2} s, max {:.2} s",
        visibility.len(),
        visibility.percentile(50),
        visibility.percentile(99),
        visibility.percentile(100)
    );
    let figure = json!({
        "scenario": "calm",
        "rate": rate,
        "seconds": seen.seconds,
        "decided_per_second": decided_per_second,
        "cores": seen.cpu.keys().map(|name| ((*name).to_owned(), cores(name).into())).collect::<serde_json::Map<_, _>>(),
        "cores_ours": ours,
        "parts": seen.parts.each_ref().map(Parts::total),
        "parts_waiting": seen.parts.each_ref().map(Parts::waiting),
        "parts_most": seen.parts.each_ref().map(Parts::most),
        "parts_piled_up": !piled.is_met(),
        "ingestor_peak_rss_mib": seen.peak_rss_mib,
        "visible_seconds": {
            "p50": visibility.percentile(50),
            "p99": visibility.percentile(99),
            "max": visibility.percentile(100),
        },
    });
    println!("{figure}");
    // what one batch holds may come after the window, and what the batch before it held may have come before
    let least = f64::from(rate) * (1.0 - BATCH.as_secs_f64() / seen.seconds);
    let kept = Bar::new("records decided", decided_per_second, least.., "a second");
    let mut bars = vec![kept, piled];
    bars.extend(most_cores(rate).map(|most| {
        let what = "services and ClickHouse and PostgreSQL";
        Bar::new(what, ours, ..most, "cores")
    }));
    if rate == 10_000 {
        let p99 = visibility.percentile(99);
        bars.push(Bar::new("visible in the API, p99", p99, ..=2.5, "s"));
    }
    bars
}

/// The limit at the rates that have one.
fn most_cores(rate: u32) -> Option<f64> {
    match rate {
        100 => Some(0.25),
        10_000 => Some(1.0),
        _ => None,
    }
}
