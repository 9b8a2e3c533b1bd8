//! Servers that are killed, come back, and are slow, while requests come in all the time.
//!
//! The server that suffers is the test's own; it is killed for real. Every request is answered in bounded time with the status
//! and code that fit, readiness tells what is so, and when the server is back, so is everything.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use devstack::{Flow, PrivateStack, Server, StackConfig, Wire};
use query_api::{AuthMode, Config};
use reqwest::Method;
use serde_json::Value;
use service_runtime::config::HumanDuration;
use shared_schema::access::{Role, Scope};
use tokio::{
    task::{JoinSet, spawn_blocking},
    time::{interval, sleep},
};

use crate::{
    api::{Api, migrate, now, places},
    callers::key,
    wire::{set_url, through_wire},
};

/// From one request to the next.
const EVERY: Duration = Duration::from_millis(40);
/// How late a reply of a slow server is.
const LATE: Duration = Duration::from_secs(5);
/// What a busy machine adds to a deadline.
const SLACK: Duration = Duration::from_secs(3);
/// How long after a server is back everything is answered again.
const RECOVERY: Duration = Duration::from_secs(10);
/// How long readiness may lag behind: its checks have a second.
const LAG: Duration = Duration::from_millis(1_500);

/// What is asked, in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// A metric whose answer is kept.
    Kept,
    /// A metric that is wished anew.
    Anew,
    /// A metric that nobody asked for before.
    Other,
    /// What needs no server.
    Definitions,
    /// What is read from ClickHouse and PostgreSQL.
    Ledger,
    /// What is read from PostgreSQL.
    Keys,
}

impl Asked {
    const ALL: [Self; 6] = [
        Self::Kept,
        Self::Anew,
        Self::Other,
        Self::Definitions,
        Self::Ledger,
        Self::Keys,
    ];

    /// The path, and what `Cache-Control` says.
    fn path(self, number: usize) -> (String, &'static str) {
        const MAY: &str = "start_date=2026-05-01&end_date=2026-05-31";
        match self {
            Self::Kept => (format!("/v1/metrics/bookings?{MAY}"), ""),
            Self::Anew => (format!("/v1/metrics/trips?{MAY}"), "no-cache"),
            Self::Other => {
                let (day, limit) = (number / 1000 % 28 + 1, number % 1000 + 1);
                let range = format!("start_date=2026-05-{day:02}&end_date=2026-05-31");
                (format!("/v1/metrics/drivers?{range}&limit={limit}"), "")
            }
            Self::Definitions => ("/v1/definitions".to_owned(), ""),
            Self::Ledger => ("/v1/pipeline/ledger".to_owned(), ""),
            Self::Keys => ("/v1/keys".to_owned(), ""),
        }
    }
}

/// What came of a request.
#[derive(Debug)]
struct Seen {
    asked: Asked,
    status: u16,
    /// Of a problem.
    code: String,
    cache: String,
    is_stale: bool,
    retry_after: String,
    took: Duration,
}

/// What came of a look at the health.
#[derive(Debug)]
struct Looked {
    at: Duration,
    live: u16,
    ready: u16,
    /// How Redis is said to be.
    redis: Value,
}

/// An API over a server of its own, and a way to that.
struct Rig {
    server: Server,
    stack: Arc<PrivateStack>,
    wire: Wire,
    api: Arc<Api>,
    key: String,
    asked: usize,
}

impl Rig {
    async fn new(server: Server) -> Self {
        let start = move || PrivateStack::start(StackConfig::only(&[server]));
        let stack = spawn_blocking(start).await.unwrap().unwrap();
        let mut config = places().await;
        let own = stack.endpoints();
        let url = match server {
            Server::Redis => own.redis_url.as_str(),
            Server::Postgres => own.postgres_url.as_str(),
            _ => own.clickhouse_http.as_str(),
        };
        set_url(&mut config, server, url);
        migrate(&config).await;
        let wire = through_wire(&mut config, server).await;
        hurry(&mut config);
        let api = Arc::new(Api::over(&config, now()));
        let key = key(&api, Role::Admin, Scope::Everywhere, true).await;
        let asked = 0;
        let mut rig = Self {
            server,
            stack: Arc::new(stack),
            wire,
            api,
            key,
            asked,
        };
        rig.is_back().await;
        rig
    }

    /// Asks for a while, looking at the health all the time.
    async fn load(&mut self, during: Duration) -> (Vec<Seen>, Vec<Looked>) {
        let (api, begun) = (Arc::clone(&self.api), Instant::now());
        let looking = tokio::spawn(async move {
            let mut looked = Vec::new();
            while begun.elapsed() < during {
                looked.push(look(&api, begun).await);
                sleep(Duration::from_millis(200)).await;
            }
            looked
        });
        let (mut requests, mut ticks) = (JoinSet::new(), interval(EVERY));
        while begun.elapsed() < during {
            ticks.tick().await;
            requests.spawn(self.next());
        }
        (requests.join_all().await, looking.await.unwrap())
    }

    /// The next request.
    fn next(&mut self) -> impl Future<Output = Seen> + use<> {
        let asked = Asked::ALL[self.asked % Asked::ALL.len()];
        self.asked += 1;
        let (path, wish) = asked.path(self.asked);
        let (api, key) = (Arc::clone(&self.api), self.key.clone());
        async move {
            let begun = Instant::now();
            let headers = [("x-api-key", key.as_str()), ("cache-control", wish)];
            let answer = api.ask(Method::GET, &path, &headers).await;
            let code = match answer.status {
                200 => String::new(),
                _ => answer.json()["code"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            };
            Seen {
                asked,
                status: answer.status,
                code,
                cache: answer.header("x-cache").to_owned(),
                is_stale: answer.header("warning").starts_with("110 "),
                retry_after: answer.header("retry-after").to_owned(),
                took: begun.elapsed(),
            }
        }
    }

    /// Everything is answered again soon.
    async fn is_back(&mut self) {
        let begun = Instant::now();
        loop {
            let mut requests = JoinSet::new();
            for _ in Asked::ALL {
                requests.spawn(self.next());
            }
            let seen = requests.join_all().await;
            let looked = look(&self.api, begun).await;
            let is_well = seen.iter().all(|seen| seen.status == 200 && !seen.is_stale);
            if is_well && looked.ready == 200 && looked.redis == "ok" {
                return;
            }
            assert!(
                begun.elapsed() < RECOVERY,
                "{} is back, and not everything: {looked:?} {seen:#?}",
                self.server
            );
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn kill(&self) {
        let (stack, server) = (Arc::clone(&self.stack), self.server);
        spawn_blocking(move || stack.kill(server))
            .await
            .unwrap()
            .unwrap();
    }

    /// Stops the server if it runs, and starts it, while requests come in. All of them get one of these answers.
    async fn restart(&mut self, may: impl Fn(&Seen) -> bool, bound: Duration) {
        let (stack, server) = (Arc::clone(&self.stack), self.server);
        let restarting = spawn_blocking(move || stack.restart(server));
        while !restarting.is_finished() {
            let (seen, looked) = self.load(Duration::from_millis(500)).await;
            assert_bounded(&seen, &looked, bound);
            let other = seen.iter().find(|seen| !may(seen));
            assert!(other.is_none(), "{server} restarts: {other:#?}");
        }
        restarting.await.unwrap().unwrap();
        self.is_back().await;
    }

    /// Kills the server, brings it back, makes it slow, restarts it. Meanwhile every request gets the answer that it
    /// `must` get, within the `bound`, and `ready` is what readiness says.
    async fn suffer(&mut self, must: impl Fn(&Seen) -> bool, ready: u16, bound: Duration) {
        let well = |seen: &Seen| seen.status == 200 && !seen.is_stale;
        let (seen, looked) = self.load(Duration::from_secs(1)).await;
        assert_bounded(&seen, &looked, SLACK);
        assert_told(&seen, &looked, well, 200, "nothing");

        self.kill().await;
        let (seen, looked) = self.load(Duration::from_secs(3)).await;
        assert_bounded(&seen, &looked, bound);
        assert_told(&seen, &looked, &must, ready, "its death");
        self.restart(|seen| well(seen) || must(seen), bound).await;

        self.wire.set(Flow::Slow(LATE));
        let (seen, looked) = self.load(Duration::from_secs(4)).await;
        assert_bounded(&seen, &looked, bound);
        assert_told(&seen, &looked, &must, ready, "slowness");
        self.wire.set(Flow::Both);
        self.is_back().await;

        self.restart(|seen| well(seen) || must(seen), bound).await;
    }
}

/// Every request was answered in time, and the process always lives.
fn assert_bounded(seen: &[Seen], looked: &[Looked], bound: Duration) {
    let slowest = seen.iter().max_by_key(|seen| seen.took).unwrap();
    assert!(slowest.took < bound, "{bound:?}: {slowest:?}");
    assert!(
        looked.iter().all(|looked| looked.live == 200),
        "{looked:#?}"
    );
}

/// Every request was answered as it must be, and readiness told so.
fn assert_told(
    seen: &[Seen],
    looked: &[Looked],
    must: impl Fn(&Seen) -> bool,
    ready: u16,
    under: &str,
) {
    let other = seen.iter().find(|seen| !must(seen));
    assert!(other.is_none(), "under {under}: {other:#?}");
    let mut since = looked.iter().filter(|looked| looked.at > LAG);
    assert!(
        since.all(|looked| looked.ready == ready),
        "under {under}: {looked:#?}"
    );
}

async fn look(api: &Api, begun: Instant) -> Looked {
    let at = begun.elapsed();
    let live = api.get("/health/live").await.status;
    let ready = api.get("/health/ready").await;
    let told = ready.json();
    let mut checks = told["checks"].as_array().unwrap().iter();
    let redis = checks.find(|check| check["name"] == "redis").unwrap();
    assert_eq!(redis["optional"], true);
    Looked {
        at,
        live,
        ready: ready.status,
        redis: redis["status"].clone(),
    }
}

/// Deadlines that a test can wait for.
fn hurry(config: &mut Config) {
    let second = HumanDuration::secs(1);
    config.auth.mode = AuthMode::Required;
    config.auth.recheck = HumanDuration::millis(100);
    config.auth.requests_per_minute = 1_000_000;
    config.cache.enabled = true;
    // by the clock of the API, which stands, and that of Redis, which does not
    config.cache.metrics = second;
    config.http.query_deadline = second;
    config.http.lanes_deadline = second;
    config.clickhouse.connect_timeout = second;
    config.postgres.connect_timeout = second;
    config.postgres.statement_timeout = second;
}

fn is_refused(seen: &Seen, codes: &[&str]) -> bool {
    seen.status == 503 && seen.retry_after == "2" && codes.contains(&seen.code.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_everything_is_answered_and_the_api_is_ready() {
    let mut rig = Rig::new(Server::Redis).await;
    let must = |seen: &Seen| {
        let cache = match seen.asked {
            Asked::Kept => "hit",
            Asked::Anew => "bypass",
            Asked::Other => "miss",
            Asked::Definitions | Asked::Ledger | Asked::Keys => "",
        };
        (seen.status, seen.cache.as_str(), seen.is_stale) == (200, cache, false)
    };
    rig.suffer(must, 200, SLACK).await;

    rig.kill().await;
    let (_, looked) = rig.load(2 * LAG).await;
    let mut since = looked.iter().filter(|looked| looked.at > LAG);
    assert!(since.all(|looked| looked.redis == "failed"), "{looked:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgres_metrics_are_answered_and_what_it_keeps_is_not() {
    let mut rig = Rig::new(Server::Postgres).await;
    let must = |seen: &Seen| match seen.asked {
        Asked::Kept | Asked::Anew | Asked::Other | Asked::Definitions => {
            seen.status == 200 && !seen.is_stale
        }
        Asked::Ledger => is_refused(seen, &["lanes_unavailable"]),
        Asked::Keys => is_refused(seen, &["access_unavailable"]),
    };
    // the caller's key, what batches touched, the lanes: each has a deadline
    let bound = Duration::from_millis(1_000 + 500 + 1_000) + SLACK;
    rig.suffer(must, 503, bound).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_clickhouse_what_was_answered_before_is_shown_as_stale() {
    let mut rig = Rig::new(Server::ClickHouse).await;
    let must = |seen: &Seen| match seen.asked {
        Asked::Kept => seen.status == 200,
        Asked::Definitions | Asked::Keys => seen.status == 200 && !seen.is_stale,
        Asked::Anew | Asked::Other | Asked::Ledger => {
            is_refused(seen, &["store_unavailable", "query_timed_out", "busy"])
        }
    };
    // the statement, and its end
    let bound = Duration::from_secs(1 + 1 + 2) + SLACK;
    rig.suffer(must, 503, bound).await;

    rig.kill().await;
    rig.api.clock.advance(TimeDelta::seconds(1));
    let (seen, looked) = rig.load(Duration::from_secs(2)).await;
    assert_bounded(&seen, &looked, bound);
    let stale = |seen: &Seen| {
        must(seen)
            && (seen.asked == Asked::Kept) == seen.is_stale
            && !["query_timed_out", "busy"].contains(&seen.code.as_str())
    };
    assert_told(&seen, &looked, stale, 503, "its death");
}
