//! A stack with a history in it, through the real programs.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use devstack::PrivateStack;
use event_store::{Params, Store};
use metadata_store::{Pool, lanes};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use query_api::{AuthMode, Config};
use serde::{Deserialize, Serialize};
use service_runtime::clock::{Clock as _, SystemClock};

/// What a filled directory says of itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Filled {
    /// When the history ends: the present of all requests.
    pub(crate) end: DateTime<Utc>,
}

const MARK: &str = "filled.json";
/// How long it may take to store what is sent: some minutes, and what a slow machine stores in a second.
const PATIENCE: Duration = Duration::from_secs(900);
const SLOWEST: u64 = 15_000;
/// Of so many facts one may stay without a region: the ingestor waits some minutes for rides and users that are never
/// told of.
const UNSETTLED: u64 = 1_000;

impl Filled {
    pub(crate) fn read(directory: &Path) -> Option<Self> {
        let text = fs::read_to_string(directory.join(MARK)).ok()?;
        serde_json::from_str(&text).ok()
    }
}

/// How long a filled stack serves. Rows leave the tables 14 days after what is promised of them.
const SERVES: TimeDelta = TimeDelta::days(13);

/// The directory of a stack with so many events. One whose rows may be leaving, or that was not filled to the end, is
/// removed first.
pub(crate) fn directory(events: u64) -> anyhow::Result<PathBuf> {
    let directory = built()?.join(format!("bench-queries-{events}"));
    let fresh =
        Filled::read(&directory).is_some_and(|filled| SystemClock.now() - filled.end < SERVES);
    if !fresh && directory.exists() {
        fs::remove_dir_all(&directory)
            .with_context(|| format!("remove {}", directory.display()))?;
    }
    Ok(directory)
}

/// The API's configuration.
pub(crate) fn api_config(stack: &PrivateStack) -> anyhow::Result<Config> {
    let mut config = Config::default();
    config.http.listen = "127.0.0.1:0".parse()?;
    config.auth.mode = AuthMode::Off;
    // what is measured is how answers are made
    config.cache.enabled = false;
    config.cells.secret = "counts of a benchmark, open to all".into();
    config.clickhouse.url = stack.endpoints().clickhouse_http.parse()?;
    config.postgres.url = stack.endpoints().postgres_url.as_str().into();
    Ok(config)
}

/// Makes the tables of this version.
pub(crate) fn migrate(stack: &PrivateStack) -> anyhow::Result<()> {
    done(stack, "migrate", &["up"])
}

/// Sends a history, and waits until all of it is stored and settled.
pub(crate) async fn fill(
    stack: &PrivateStack,
    config: &Config,
    directory: &Path,
    events: u64,
) -> anyhow::Result<Filled> {
    let end = SystemClock.now();
    let (count, until) = (
        events.to_string(),
        end.to_rfc3339_opts(SecondsFormat::Millis, true),
    );
    done(stack, "ingestor", &["topics", "create"])?;
    let history = ["history", "--events", &count, "--end", &until];
    done(stack, "simulator", &history)?;
    let log = fs::File::create(directory.join("ingestor.log"))?;
    let mut command = program(stack, "ingestor")?;
    command.stdout(log.try_clone()?).stderr(log);
    let ingestor = Running(command.spawn()?);
    stored(config, events).await?;
    ingestor.stop()?;
    let filled = Filled { end };
    fs::write(directory.join(MARK), serde_json::to_string(&filled)?)?;
    Ok(filled)
}

async fn stored(config: &Config, events: u64) -> anyhow::Result<()> {
    let (store, pool) = (
        Store::connect(&config.clickhouse)?,
        Pool::new(&config.postgres)?,
    );
    let waiting = "SELECT toUInt64(ifNull(sum(total_rows), 0)) FROM system.tables \
        WHERE database = currentDatabase() AND name LIKE 'waiting\\_%'";
    let (began, patience) = (
        Instant::now(),
        PATIENCE + Duration::from_secs(events / SLOWEST),
    );
    loop {
        let lanes = lanes::all(&pool).await?;
        let next: i64 = lanes.iter().map(|lane| lane.next_offset).sum();
        let drained = lanes
            .iter()
            .all(|lane| lane.end_offset == Some(lane.next_offset));
        let waits: u64 = store.query(waiting).fetch_one().await?;
        // What the simulator sends is about what it was asked for.
        let nearly_all = u64::try_from(next)? >= events / 10 * 9;
        if drained && nearly_all && waits <= events / UNSETTLED {
            println!("{next} records are stored, {waits} of them without a region");
            return Ok(());
        }
        if began.elapsed() > patience {
            bail!("after {patience:?} {next} records are stored, {waits} of them without a region");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Merges the aggregates, as they merge by themselves once they rest: neighbours an hour after they were written, and what
/// became of them an hour later.
pub(crate) async fn merge(config: &Config) -> anyhow::Result<()> {
    let store = Store::connect(&config.clickhouse)?;
    let aggregates = "SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE '%\\_state'";
    let aggregates: Vec<String> = store.query(aggregates).fetch_all().await?;
    for aggregate in aggregates {
        let merge = format!("OPTIMIZE TABLE {aggregate} FINAL");
        store.execute(&merge, &Params::new()).await?;
    }
    Ok(())
}

/// A program of this workspace beside the stack.
pub(crate) fn program(stack: &PrivateStack, name: &str) -> anyhow::Result<Command> {
    let endpoints = stack.endpoints();
    let mut command = Command::new(built()?.join(name));
    command
        .env_clear()
        .env("OPENRIDE_KAFKA_BROKERS", &endpoints.kafka)
        .env("OPENRIDE_CLICKHOUSE_URL", &endpoints.clickhouse_http)
        .stdin(Stdio::null());
    // The simulator knows Kafka only.
    if name != "simulator" {
        command.env("OPENRIDE_POSTGRES_URL", &endpoints.postgres_url);
    }
    if name == "ingestor" {
        command.env("OPENRIDE_ADMIN_LISTEN", "127.0.0.1:0");
    }
    Ok(command)
}

fn done(stack: &PrivateStack, name: &str, arguments: &[&str]) -> anyhow::Result<()> {
    println!("{name} {}", arguments.join(" "));
    let output = program(stack, name)?
        .args(arguments)
        .output()
        .with_context(|| format!("start {name}; `make bench-queries` builds it"))?;
    ensure!(
        output.status.success(),
        "{name}: {}: {}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Where the programs of this profile are.
fn built() -> anyhow::Result<PathBuf> {
    let this = env::current_exe()?;
    let directory = this.ancestors().nth(2).context("no build directory")?;
    Ok(directory.to_owned())
}

/// A program that goes with its value.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    fn stop(mut self) -> anyhow::Result<()> {
        kill(Pid::from_raw(self.0.id().try_into()?), Signal::SIGTERM)?;
        let status = self.0.wait()?;
        ensure!(status.success(), "the ingestor ended with {status}");
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already where it was stopped.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
