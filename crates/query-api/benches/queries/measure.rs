//! One request many times, and what ClickHouse says of its statements.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use event_store::{Params, Store};
use reqwest::{Client, Url};

use crate::{
    cases::Case,
    straight::{Statement, Straight},
};

/// How long a statement may take to be logged.
const LATE: Duration = Duration::from_secs(10);

/// After how long a connection is not used again: before the API closes it, while it is not asked.
const IDLE: Duration = Duration::from_secs(2);

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
    p50: Duration,
    pub(crate) p95: Duration,
    max: Duration,
    /// ClickHouse's work for one request.
    cpu: Duration,
    /// The same statements without the API.
    straight_p50: Duration,
    straight_p95: Duration,
    /// Statements of one request, the most expensive first, each with its median work.
    statements: Vec<(String, Duration)>,
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

    pub(crate) async fn measure(&self, case: &Case) -> anyhow::Result<Measured> {
        let url: Url = format!("{}{}", self.base, case.path).parse()?;
        // The first one reads what the others find in the page cache.
        self.answer(&url).await?;
        let since = self.server_time().await?;
        let mut took = Vec::with_capacity(self.requests);
        for _ in 0..self.requests {
            took.push(self.answer(&url).await?);
        }
        let logged = self.all_logged(since).await?;
        let each = logged.len() / self.requests;
        let cpu: Duration = logged.iter().map(|statement| statement.cpu).sum();
        let first = logged.get(..each).context("no statement was logged")?;
        let mut straight = self.straight.rounds(first, self.requests).await?;
        Ok(Measured {
            p50: percentile(&mut took, 50),
            p95: percentile(&mut took, 95),
            max: percentile(&mut took, 100),
            cpu: cpu / u32::try_from(self.requests)?,
            straight_p50: percentile(&mut straight, 50),
            straight_p95: percentile(&mut straight, 95),
            statements: by_name(&logged),
        })
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

    /// The statements of all requests. ClickHouse logs one after it has answered, so the last may come late.
    async fn all_logged(&self, since: u64) -> anyhow::Result<Vec<Statement>> {
        let asked = Instant::now();
        loop {
            let logged = self.logged(since).await?;
            if !logged.is_empty() && logged.len().is_multiple_of(self.requests) {
                return Ok(logged);
            }
            ensure!(
                asked.elapsed() < LATE,
                "{} statements were logged of {} requests",
                logged.len(),
                self.requests
            );
            tokio::time::sleep(LATE / 50).await;
        }
    }

    /// The API's statements since a time, in the order of their start.
    async fn logged(&self, since: u64) -> anyhow::Result<Vec<Statement>> {
        self.store
            .execute("SYSTEM FLUSH LOGS", &Params::new())
            .await?;
        let sql = "SELECT log_comment, query, toUInt64(toUnixTimestamp64Micro(query_start_time_microseconds)), \
            query_duration_ms * 1000, ProfileEvents['OSCPUVirtualTimeMicroseconds'] \
            FROM system.query_log \
            WHERE type = 'QueryFinish' AND query_start_time_microseconds > fromUnixTimestamp64Micro({since:Int64}) \
            AND query_kind = 'Select' AND log_comment != '' AND has(databases, {database:String}) \
            ORDER BY query_start_time_microseconds";
        let rows: Vec<(String, String, u64, u64, u64)> = self
            .store
            .query(sql)
            .param("since", since)
            .param("database", self.store.database())
            .fetch_all()
            .await?;
        Ok(rows.into_iter().map(Statement::from).collect())
    }
}

impl Measured {
    pub(crate) const HEADER: &str = "metric    | variant        |  p50 |  p95 |  max | ClickHouse CPU | straight p50 |  p95 | API / straight p50 |  p95 | CPU of each statement (ms)";

    /// A line of the table; milliseconds.
    pub(crate) fn row(&self, case: &Case) -> String {
        let statements: Vec<String> = self
            .statements
            .iter()
            .map(|(name, cpu)| format!("{name} {}", cpu.as_millis()))
            .collect();
        format!(
            "{:9} | {:14} | {:4} | {:4} | {:4} | {:14} | {:12} | {:4} | {:18.2} | {:4.2} | {}",
            case.metric,
            case.variant,
            self.p50.as_millis(),
            self.p95.as_millis(),
            self.max.as_millis(),
            self.cpu.as_millis(),
            self.straight_p50.as_millis(),
            self.straight_p95.as_millis(),
            self.p50.as_secs_f64() / self.straight_p50.as_secs_f64(),
            self.p95.as_secs_f64() / self.straight_p95.as_secs_f64(),
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
