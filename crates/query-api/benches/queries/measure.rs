//! One request many times, and what ClickHouse says of its statements.

use std::time::{Duration, Instant};

use anyhow::ensure;
use event_store::{Params, Store};
use reqwest::{Client, Url};

use crate::{
    cases::Case,
    straight::{Logged, Statement, Straight, waves},
};

/// How long a statement may take to be logged.
const LATE: Duration = Duration::from_secs(10);

/// After how long a connection is not used again: before the API closes it, while it is not asked.
const IDLE: Duration = Duration::from_secs(2);

/// How long a form is asked for, if it takes long.
const LONG_ENOUGH: Duration = Duration::from_secs(30);

/// How often it is asked for even so, at most as often as any other.
const FEW: usize = 10;

/// Of how many requests the 95th percentile tells something.
const ENOUGH: usize = 20;

/// Of so many requests the statements are learnt.
const LEARNT: usize = 3;

/// The API and the database below it.
pub(crate) struct Bench {
    client: Client,
    base: String,
    store: Store,
    straight: Straight,
    requests: usize,
}

/// What a case took.
pub(crate) struct Measured {
    asked: usize,
    mean: Duration,
    p50: Duration,
    pub(crate) p95: Duration,
    p99: Duration,
    /// ClickHouse's work for one request.
    cpu: Duration,
    /// The same statements without the API.
    straight: Option<Straightly>,
    /// Statements of one request, the most expensive first, each with its median work.
    statements: Vec<(String, Duration)>,
}

/// What the statements of a request took.
struct Straightly {
    p50: Duration,
    p95: Duration,
}

impl Bench {
    pub(crate) fn new(
        clickhouse: &event_store::Config,
        base: &str,
        requests: usize,
    ) -> anyhow::Result<Self> {
        ensure!(requests > 0, "at least one request is needed");
        Ok(Self {
            client: Client::builder().pool_idle_timeout(IDLE).build()?,
            base: base.to_owned(),
            store: Store::connect(clickhouse)?,
            straight: Straight::new(clickhouse),
            requests,
        })
    }

    /// Asks the API and ClickHouse in turns, so that both meet the same noise.
    pub(crate) async fn measure(&self, case: &Case) -> anyhow::Result<Measured> {
        let url: Url = format!("{}{}", self.base, case.path).parse()?;
        // The first one reads what the others find in the page cache.
        self.answer(&url).await?;
        let learnt = self.learnt(case, &url).await?;
        let waves = waves(&learnt);

        let since = self.server_time().await?;
        let (mut took, mut straight) = (Vec::new(), Vec::new());
        let began = Instant::now();
        while took.len() < self.requests && (took.len() < FEW || began.elapsed() < LONG_ENOUGH) {
            took.push(self.answer(&url).await?);
            straight.push(self.straight.send(&waves).await?);
        }
        let logged = self.all_logged(case, since, took.len()).await?;
        let cpu: Duration = logged.iter().map(|statement| statement.cpu).sum();
        let requests = u32::try_from(took.len())?;
        Ok(Measured {
            asked: took.len(),
            mean: took.iter().sum::<Duration>() / requests,
            p50: percentile(&mut took, 50),
            p95: percentile(&mut took, 95),
            p99: percentile(&mut took, 99),
            cpu: cpu / requests,
            straight: case.asks_clickhouse.then(|| Straightly {
                p50: percentile(&mut straight, 50),
                p95: percentile(&mut straight, 95),
            }),
            statements: by_name(&logged),
        })
    }

    /// The statements of one request.
    async fn learnt(&self, case: &Case, url: &Url) -> anyhow::Result<Vec<Statement>> {
        let since = self.server_time().await?;
        for _ in 0..LEARNT {
            self.answer(url).await?;
        }
        let mut logged = self.all_logged(case, since, LEARNT).await?;
        logged.truncate(logged.len() / LEARNT);
        Ok(logged)
    }

    async fn answer(&self, url: &Url) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let response = self.client.get(url.clone()).send().await?;
        let status = response.status();
        let body = response.bytes().await?;
        let took = began.elapsed();
        ensure!(
            status.is_success(),
            "{url}: {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(took)
    }

    /// Microseconds since 1970 on the database's clock.
    async fn server_time(&self) -> anyhow::Result<u64> {
        let sql = "SELECT toUInt64(toUnixTimestamp64Micro(now64(6)))";
        Ok(self.store.query(sql).fetch_one().await?)
    }

    /// The statements of so many requests. ClickHouse logs one after it has answered, so the last may come late.
    async fn all_logged(
        &self,
        case: &Case,
        since: u64,
        requests: usize,
    ) -> anyhow::Result<Vec<Statement>> {
        if !case.asks_clickhouse {
            return Ok(Vec::new());
        }
        let asked = Instant::now();
        loop {
            let logged = self.logged(since).await?;
            if !logged.is_empty() && logged.len().is_multiple_of(requests) {
                return Ok(logged);
            }
            ensure!(
                asked.elapsed() < LATE,
                "{} statements were logged of {requests} requests",
                logged.len()
            );
            tokio::time::sleep(LATE / 50).await;
        }
    }

    /// The API's statements since a time, in the order of their start.
    async fn logged(&self, since: u64) -> anyhow::Result<Vec<Statement>> {
        self.store
            .execute("SYSTEM FLUSH LOGS", &Params::new())
            .await?;
        let sql = "SELECT log_comment, query, \
            toJSONString(mapFilter((name, _) -> name != 'log_comment', Settings)), toUInt64(toUnixTimestamp64Micro(query_start_time_microseconds)), \
            query_duration_ms * 1000, ProfileEvents['OSCPUVirtualTimeMicroseconds'] \
            FROM system.query_log \
            WHERE type = 'QueryFinish' AND query_start_time_microseconds > fromUnixTimestamp64Micro({since:Int64}) \
            AND query_kind = 'Select' AND log_comment != '' AND has(databases, {database:String}) \
            ORDER BY query_start_time_microseconds";
        let rows: Vec<Logged> = self
            .store
            .query(sql)
            .param("since", since)
            .param("database", self.store.database())
            .fetch_all()
            .await?;
        let statements: Result<Vec<_>, _> = rows.into_iter().map(Statement::try_from).collect();
        Ok(statements?)
    }
}

impl Measured {
    pub(crate) const HEADER: &str = "asked       | variant        |  p50 |  p95 |  p99 |  of | requests/s | ClickHouse CPU | straight p50 |  p95 | API / straight p50 |  p95 | CPU of each statement (ms)";

    /// How much longer the API takes than its statements, where there were enough requests to tell.
    pub(crate) fn ratio_of_p95(&self) -> Option<f64> {
        let straight = self.straight.as_ref().filter(|_| self.asked >= ENOUGH)?;
        Some(self.p95.as_secs_f64() / straight.p95.as_secs_f64())
    }

    /// A line of the table; milliseconds.
    pub(crate) fn row(&self, case: &Case) -> String {
        let statements: Vec<String> = self
            .statements
            .iter()
            .map(|(name, cpu)| format!("{name} {}", cpu.as_millis()))
            .collect();
        let straight = self.straight.as_ref().map_or_else(String::new, |straight| {
            format!(
                "{:12} | {:4} | {:18.2} | {:4.2}",
                straight.p50.as_millis(),
                straight.p95.as_millis(),
                self.p50.as_secs_f64() / straight.p50.as_secs_f64(),
                self.p95.as_secs_f64() / straight.p95.as_secs_f64(),
            )
        });
        format!(
            "{:11} | {:14} | {:4} | {:4} | {:4} | {:3} | {:10.1} | {:14} | {straight:47} | {}",
            case.metric,
            case.variant,
            self.p50.as_millis(),
            self.p95.as_millis(),
            self.p99.as_millis(),
            self.asked,
            1.0 / self.mean.as_secs_f64(),
            self.cpu.as_millis(),
            statements.join(", ")
        )
    }
}

/// The smallest time that so many percent do not exceed.
pub(crate) fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(place).copied().unwrap_or_default()
}

fn by_name(logged: &[Statement]) -> Vec<(String, Duration)> {
    let mut names: Vec<&str> = logged
        .iter()
        .map(|statement| statement.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut statements: Vec<(String, Duration)> = names
        .into_iter()
        .map(|name| {
            let of_name = logged.iter().filter(|statement| statement.name == name);
            let mut cpu: Vec<Duration> = of_name.map(|statement| statement.cpu).collect();
            (name.to_owned(), percentile(&mut cpu, 50))
        })
        .collect();
    statements.sort_by_key(|(_, cpu)| std::cmp::Reverse(*cpu));
    statements
}
