//! Our ingestor, from its start until the ledger says that every lane is at its end.

use crate::{
    account,
    arguments::Arguments,
    figure::Figure,
    merges,
    program::Program,
    rig::Rig,
    traffic::Traffic,
    usage::{between, peak_rss_mib},
};
use anyhow::{Context as _, ensure};
use event_store::Store;
use metadata_store::{Pool, lanes};
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

pub(crate) const LABEL: &str = "(a) our ingestor";
const DATABASE: &str = "bench_ours";
/// Of so many facts one may stay without a region.
const UNSETTLED: u64 = 1_000;
const POLL: Duration = Duration::from_millis(50);

/// A new group into an empty database.
pub(crate) async fn run(
    rig: &Rig,
    traffic: &Traffic,
    arguments: &Arguments,
) -> anyhow::Result<Figure> {
    println!("ours: {} records", traffic.total);
    let config = rig.settings(DATABASE)?;
    let store = rig.database(DATABASE).await?;
    metadata_store::migrate(&config.postgres).await?;
    let pool = Pool::new(&config.postgres)?;
    merges::come_to_rest(&store).await?;

    let servers = rig.servers()?;
    let before = servers.cpu();
    let settings = &arguments.settings;
    let (mut ingestor, _) =
        rig.start_service("ingestor", DATABASE, "OPENRIDE_ADMIN_LISTEN", settings)?;
    let began = Instant::now();
    let profile = arguments
        .perf
        .as_deref()
        .map(|file| record(file, &ingestor))
        .transpose()?;
    let first = await_offsets(&pool, &mut ingestor, 1, arguments.limit()).await?;
    let first_at = began.elapsed();
    await_offsets(&pool, &mut ingestor, traffic.total, arguments.limit()).await?;
    let took = began.elapsed();

    let watched = servers.and("program", ingestor.pid());
    let done = watched.cpu();
    let peak = peak_rss_mib(ingestor.pid());
    // what is settled later is part of the price, too
    await_settling(&store, &mut ingestor, traffic.total, arguments.limit()).await?;
    merges::come_to_rest(&store).await?;
    let rested = watched.cpu();
    ingestor.stop()?;
    if let Some(mut profile) = profile {
        profile.wait()?;
    }
    account::print(&store, "ours").await?;
    let counts = counts(&store, traffic.total).await?;
    rig.drop(&store).await?;
    let steady = (traffic.total - first) as f64 / (took - first_at).as_secs_f64().max(1e-9);
    let note = format!(
        "{counts}; the first {first} durable {:.2} s after readiness, {steady:.0} events/s from then on",
        first_at.as_secs_f64()
    );
    let figure = Figure::new(LABEL, traffic.total, took, &between(&before, &done));
    Ok(Figure {
        peak_rss_mib: peak,
        ..figure
    }
    .after(&between(&done, &rested))
    .note(note))
}

/// Waits until so many offsets are durable; returns how many are.
async fn await_offsets(
    pool: &Pool,
    ingestor: &mut Program,
    wanted: u64,
    limit: Duration,
) -> anyhow::Result<u64> {
    let deadline = Instant::now() + limit;
    loop {
        let durable: i64 = lanes::all(pool)
            .await?
            .iter()
            .map(|lane| lane.next_offset - lane.first_offset)
            .sum();
        let durable = u64::try_from(durable)?;
        if durable >= wanted {
            return Ok(durable);
        }
        ingestor.expect_running()?;
        ensure!(
            Instant::now() < deadline,
            "{durable} of {wanted} records are durable after {limit:?}:\n{}",
            ingestor.log_tail()
        );
        tokio::time::sleep(POLL).await;
    }
}

/// Waits until hardly any fact waits for its region: some wait for rides and users that are never told of.
async fn await_settling(
    store: &Store,
    ingestor: &mut Program,
    total: u64,
    limit: Duration,
) -> anyhow::Result<()> {
    let waiting = "SELECT toUInt64(ifNull(sum(total_rows), 0)) FROM system.tables \
        WHERE database = currentDatabase() AND name LIKE 'waiting\\_%'";
    let deadline = Instant::now() + limit;
    loop {
        let waits: u64 = store.query(waiting).fetch_one().await?;
        if waits <= total / UNSETTLED {
            return Ok(());
        }
        ingestor.expect_running()?;
        ensure!(
            Instant::now() < deadline,
            "{waits} facts wait for their region after {limit:?}:\n{}",
            ingestor.log_tail()
        );
        tokio::time::sleep(POLL).await;
    }
}

/// The ledger's verdicts; they must be about all records, and as many rows must be stored as were accepted.
async fn counts(store: &Store, total: u64) -> anyhow::Result<String> {
    let sql = "SELECT sum(accepted), sum(duplicate), sum(dead_lettered), \
               assumeNotNull((SELECT count() FROM events_raw)) FROM ingest_ledger";
    let (accepted, duplicate, dead, stored): (u64, u64, u64, u64) =
        store.query(sql).fetch_one().await?;
    ensure!(
        accepted + duplicate + dead == total && stored == accepted,
        "of {total} records {accepted} were accepted, {duplicate} duplicates, {dead} dead letters, and {stored} are stored"
    );
    Ok(format!(
        "{accepted} accepted, {duplicate} duplicates, {dead} dead letters"
    ))
}

/// Lets `perf` look at the program until it ends.
fn record(file: &Path, program: &Program) -> anyhow::Result<Child> {
    Command::new("perf")
        .args([
            "record",
            "-F",
            "499",
            "-g",
            "-p",
            &program.pid().to_string(),
            "-o",
        ])
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("perf does not start; install it with: apt-get install linux-perf")
}
