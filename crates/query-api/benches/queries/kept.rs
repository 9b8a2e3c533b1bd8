//! Answers that are kept: how many a core gives, and how many of a dashboard's requests find one.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Days, Utc};
use devstack::PrivateStack;
use futures::future::try_join_all;
use procfs::process::Process;
use service_runtime::clock::{Clock as _, SystemClock};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, sleep_until},
};

use crate::{
    bars::Bar,
    fill::{self, Running},
};

/// Connections that ask one request after the other.
const CONNECTIONS: usize = 16;
/// For how long they ask at most: what waits to be settled is kept for ten seconds, whatever it is about.
const KEPT: Duration = Duration::from_secs(8);
/// Clients that each ask for all of a dashboard.
const CLIENTS: u32 = 50;
/// How often.
const EVERY: Duration = Duration::from_secs(10);
const START: Duration = Duration::from_secs(30);
/// For how long an answer about a time that is not over may be kept, and the tiles.
const FILLING: Duration = Duration::from_secs(10);
const TILES: Duration = Duration::from_secs(1);
const METRICS: [&str; 7] = [
    "users", "bookings", "payments", "trips", "drivers", "routes", "realtime",
];
const DAYS: [u64; 4] = [1, 7, 30, 80];

/// The API as a process of its own, so that its work can be told from ours.
struct Api {
    running: Running,
    address: SocketAddr,
}

impl Api {
    async fn start(stack: &PrivateStack) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = fill::program(stack, "query-api")?
            .env("OPENRIDE_HTTP_LISTEN", address.to_string())
            .env("OPENRIDE_HTTP_WORKERS", "1")
            .env("OPENRIDE_AUTH_MODE", "off")
            .env("OPENRIDE_REDIS_URL", &stack.endpoints().redis_url)
            .spawn()?;
        let running = Running(child);
        let api = Self { running, address };
        let until = Instant::now() + START;
        while TcpStream::connect(address).await.is_err() {
            ensure!(Instant::now() < until, "the API does not start");
            sleep(Duration::from_millis(50)).await;
        }
        Ok(api)
    }

    /// The time that its threads have worked.
    fn cpu(&self) -> anyhow::Result<f64> {
        let stat = Process::new(i32::try_from(self.running.0.id())?)?.stat()?;
        #[expect(clippy::cast_precision_loss, reason = "a benchmark counts no years")]
        let seconds = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
        Ok(seconds)
    }
}

/// A connection that is kept alive.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let buffer = Vec::new();
        Ok(Self { stream, buffer })
    }

    /// What `X-Cache` says of the answer.
    async fn ask(&mut self, path: &str) -> anyhow::Result<String> {
        let request = format!("GET /v1/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        let head = loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the API has closed the connection");
            if let Some(end) = self
                .buffer
                .windows(4)
                .position(|bytes| bytes == b"\r\n\r\n")
            {
                break end;
            }
        };
        let text =
            String::from_utf8_lossy(self.buffer.get(..head).unwrap_or_default()).into_owned();
        ensure!(text.starts_with("HTTP/1.1 200"), "{path}: {text}");
        let header = |name: &str| {
            let mut lines = text.lines();
            lines.find_map(|line| {
                let (known, value) = line.split_once(": ")?;
                known.eq_ignore_ascii_case(name).then(|| value.to_owned())
            })
        };
        let length: usize = header("content-length").context("no length")?.parse()?;
        while self.buffer.len() < head + 4 + length {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the API has closed the connection");
        }
        header("x-cache").context("no X-Cache")
    }
}

/// Everything that a dashboard shows, over the days that end with this instant's; the tiles of now once.
fn dashboard(end: DateTime<Utc>) -> Vec<String> {
    let last = end.with_timezone(&chrono_tz::Africa::Lagos).date_naive();
    let over = |metric: &str, days: u64| match metric {
        "realtime" => "metrics/realtime".to_owned(),
        _ => format!(
            "metrics/{metric}?start_date={}&end_date={last}",
            last - Days::new(days - 1)
        ),
    };
    let asked = METRICS
        .iter()
        .flat_map(|metric| DAYS.map(|days| over(metric, days)));
    let mut asked: Vec<String> = asked.collect();
    asked.dedup();
    asked
}

/// How many answers that are kept a core gives in a second.
async fn throughput(api: &Api, end: DateTime<Utc>, length: Duration) -> anyhow::Result<Bar> {
    let yesterday = end - Days::new(1);
    let mut paths = dashboard(yesterday);
    paths.retain(|path| !path.contains("realtime"));
    let mut first = Connection::open(api.address).await?;
    for path in &paths {
        first.ask(path).await?;
    }
    let (began, cpu) = (Instant::now(), api.cpu()?);
    let asking = (0..CONNECTIONS).map(|_| async {
        let mut connection = Connection::open(api.address).await?;
        let mut took = Vec::new();
        for path in paths.iter().cycle() {
            if began.elapsed() >= length {
                break;
            }
            let asked = Instant::now();
            let found = connection.ask(path).await?;
            ensure!(found == "hit", "{path}: {found}");
            took.push(asked.elapsed());
        }
        Ok(took)
    });
    let mut took = try_join_all(asking).await?.concat();
    let (length, cpu) = (began.elapsed().as_secs_f64(), api.cpu()? - cpu);
    took.sort();
    let at = |share: usize| {
        took.get(took.len() * share / 100)
            .copied()
            .unwrap_or_default()
    };
    #[expect(clippy::cast_precision_loss, reason = "a benchmark counts no billions")]
    let requests = took.len() as f64;
    println!(
        "kept: {:.0} requests/s over {CONNECTIONS} connections, p50 {:?}, p95 {:?}, p99 {:?}; one worker, {cpu:.2} CPU-s of the API in {length:.2} s",
        requests / length,
        at(50),
        at(95),
        at(99)
    );
    let what = "answers that are kept, per core of the API";
    Ok(Bar::new(what, requests / cpu, 10_000.0.., "requests/s"))
}

/// An answer that a dashboard was given.
#[derive(Clone)]
struct Seen<'p> {
    path: &'p str,
    /// What `X-Cache` says.
    source: String,
    asked: Instant,
    answered: Instant,
}

impl Seen<'_> {
    fn was_made(&self) -> bool {
        self.source == "miss"
    }

    /// How old it was when it was asked for, by as much of its time as it may be kept for: what began to be made before it
    /// was there may be what it shows. So nothing passes for too old that is not.
    fn age(&self, made: &[&Self]) -> f64 {
        let may = match self.path.contains("realtime") {
            true => TILES,
            false => FILLING,
        };
        let shown = made
            .iter()
            .filter(|made| made.path == self.path && made.asked <= self.answered);
        let ages = shown.map(|made| self.asked.saturating_duration_since(made.answered));
        ages.min().unwrap_or_default().as_secs_f64() / may.as_secs_f64()
    }
}

/// Clients that each ask for all of a dashboard again and again.
async fn dashboards(api: &Api, end: DateTime<Utc>, length: Duration) -> anyhow::Result<[Bar; 2]> {
    let paths = dashboard(end);
    let began = tokio::time::Instant::now();
    let clients = (0..CLIENTS).map(|number| {
        let paths = &paths;
        async move {
            let mut seen = Vec::new();
            let mut next = began + EVERY / CLIENTS * number;
            while next < began + length {
                sleep_until(next).await;
                next += EVERY;
                // the API ends connections that rest for so long
                let mut connection = Connection::open(api.address).await?;
                for path in paths {
                    let asked = Instant::now();
                    let source = connection.ask(path).await?;
                    seen.push(Seen {
                        path,
                        source,
                        asked,
                        answered: Instant::now(),
                    });
                }
            }
            anyhow::Ok(seen)
        }
    });
    let seen = try_join_all(clients).await?.concat();
    let made: Vec<&Seen> = seen.iter().filter(|seen| seen.was_made()).collect();
    let kept = seen.iter().filter(|seen| !seen.was_made());
    let oldest = kept.map(|seen| seen.age(&made)).fold(0.0, f64::max);
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    for seen in &seen {
        *found.entry(&seen.source).or_default() += 1;
    }
    let all: u64 = found.values().sum();
    let hits = found.get("hit").copied().unwrap_or_default();
    println!(
        "dashboards: {CLIENTS} clients, {} requests each every {EVERY:?}, no limit: {found:?}",
        paths.len()
    );
    #[expect(clippy::cast_precision_loss, reason = "a benchmark counts no billions")]
    let share = 100.0 * hits as f64 / all as f64;
    Ok([
        Bar::new("hits of dashboards", share, 85.0.., "%"),
        Bar::new(
            "age of their answers, of what they may be kept for",
            100.0 * oldest,
            ..=100.0,
            "%",
        ),
    ])
}

/// Measures both, each for so long.
pub(crate) async fn measured(
    stack: &PrivateStack,
    end: DateTime<Utc>,
    length: Duration,
) -> anyhow::Result<Vec<Bar>> {
    let api = Api::start(stack).await?;
    let kept = throughput(&api, end, length.min(KEPT)).await?;
    // a dashboard shows today, which is not over, also of a stack that was filled yesterday
    let hits = dashboards(&api, SystemClock.now(), length.max(3 * EVERY)).await?;
    Ok([kept].into_iter().chain(hits).collect())
}
