//! The API over databases of its own, with a clock that stands.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use event_store::{
    Params, Store,
    migrations::{self, Rendering},
};
use metadata_store::{
    LaneId, Pool,
    lanes::{self, Progress},
    topics,
};
use query_api::{AuthMode, Config};
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::Value;
use service_runtime::{
    clock::{Clock as _, ManualClock},
    lifecycle,
};
use shared_schema::{Domain, Subscriptions, TopicsConfig};
use simulator::answer::Told;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// What a busy machine adds.
pub(crate) const SLACK: Duration = Duration::from_secs(2);
/// So much later the second of two is asked.
pub(crate) const LATER: Duration = Duration::from_millis(500);

/// Says that a body is JSON.
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

/// Where the clock stands, unless a test needs another time.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_781_518_830, 0).unwrap()
}

/// A running API. It ends with the test.
pub(crate) struct Api {
    base: String,
    client: reqwest::Client,
    pub(crate) store: Store,
    pub(crate) pool: Pool,
    pub(crate) clock: Arc<ManualClock>,
    _running: JoinHandle<std::io::Result<()>>,
}

/// What the API answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Api {
    /// Empty databases, and the clock at `now`.
    pub(crate) async fn start(now: DateTime<Utc>) -> Self {
        let config = databases().await;
        Self::over(&config, now)
    }

    /// An API with this configuration.
    pub(crate) fn over(config: &Config, now: DateTime<Utc>) -> Self {
        lifecycle::install_crypto_provider();
        let clock = Arc::new(ManualClock::at(now));
        let server = query_api::bind(config, clock.clone()).unwrap();
        let base = format!("http://{}", server.local_addr());
        Self {
            base,
            client: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            store: Store::connect(&config.clickhouse).unwrap(),
            pool: Pool::new(&config.postgres).unwrap(),
            clock,
            _running: tokio::spawn(server.run(CancellationToken::new())),
        }
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        self.base.trim_start_matches("http://").to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        request_id: Option<&str>,
    ) -> Answer {
        let id = request_id.map(|id| ("x-request-id", id));
        self.ask(method, path, id.as_slice()).await
    }

    /// Asks with these headers.
    pub(crate) async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .timeout(Duration::from_secs(60));
        self.answered(request, headers).await
    }

    /// Sends a body.
    pub(crate) async fn send_body(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answer {
        let request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .timeout(Duration::from_secs(60))
            .body(body);
        self.answered(request, headers).await
    }

    async fn answered(&self, request: RequestBuilder, headers: &[(&str, &str)]) -> Answer {
        let headers = headers.iter();
        let request = headers.fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer {
            status,
            headers,
            text: response.text().await.unwrap(),
        }
    }

    /// The JSON of an answer that must be a success.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// The answer is what the key tells.
    pub(crate) async fn tells(&self, told: &Told) {
        told.assert_equals(&self.json(&told.path).await);
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.store.execute(sql, &Params::new()).await.unwrap();
    }

    /// Lanes of these domains' topics, each with one partition: everything before this offset is durable, and complete up
    /// to now.
    pub(crate) async fn durable_up_to(&self, domains: &[Domain], next: usize) {
        self.durable_in(0, domains, next).await;
    }

    /// The same of another partition.
    pub(crate) async fn durable_in(&self, partition: i32, domains: &[Domain], next: usize) {
        let config = TopicsConfig::default();
        let lanes = domains.iter().map(|domain| {
            let topic = config.topic_of(*domain).to_owned();
            (LaneId { topic, partition }, i64::try_from(next).unwrap())
        });
        let lanes: Vec<_> = lanes.collect();
        let read = Subscriptions::default();
        topics::announce(&self.pool, &read).await.unwrap();
        lanes::ensure(&self.pool, &lanes).await.unwrap();
        let now = self.clock.now();
        let progress = lanes.into_iter().map(|(lane, _)| Progress {
            lane,
            epoch: 0,
            end_offset: None,
            complete_through: Some(now),
        });
        let progress: Vec<Progress> = progress.collect();
        lanes::report(&self.pool, now, &progress).await.unwrap();
    }

    /// A lane that was read from offset 0 up to `next`, and is complete up to a time.
    pub(crate) async fn lane(
        &self,
        topic: &str,
        partition: i32,
        next: i64,
        complete_through: DateTime<Utc>,
    ) {
        let lane = LaneId {
            topic: topic.to_owned(),
            partition,
        };
        lanes::ensure(&self.pool, &[(lane.clone(), 0)])
            .await
            .unwrap();
        let taken = lanes::take_over(&self.pool, "test", std::slice::from_ref(&lane))
            .await
            .unwrap();
        let progress = Progress {
            lane,
            epoch: taken[0].epoch,
            end_offset: Some(next),
            complete_through: Some(complete_through),
        };
        lanes::report(&self.pool, complete_through, &[progress])
            .await
            .unwrap();
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Status and code of an answer that must be a problem.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let code = self.json()["code"].as_str().unwrap().to_owned();
        (self.status, code)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// Databases of this test with the whole schema.
pub(crate) async fn databases() -> Config {
    let config = places().await;
    migrate(&config).await;
    config
}

/// Databases without the tables of events, which take long to make, for what reads none.
pub(crate) async fn without_events() -> Config {
    let config = places().await;
    metadata_store::migrate(&config.postgres).await.unwrap();
    config
}

/// Where databases of this test can be, on the servers that all tests share.
pub(crate) async fn places() -> Config {
    let stack = devstack::test_stack();
    let mut config = Config::default();
    config.http.listen = "127.0.0.1:0".parse().unwrap();
    config.http.workers = 1;
    config.clickhouse.url = stack.endpoints().clickhouse_http.parse().unwrap();
    config.clickhouse.database = stack.clickhouse_database("api");
    config.redis.url = stack.endpoints().redis_url.as_str().into();
    // rows that a test inserts past the ingestor show at once
    config.cache.enabled = false;
    config.auth.mode = AuthMode::Off;
    config.cells.secret = "0123456789abcdef0123456789abcdef".into();
    config.postgres.url = stack.postgres_database().await.as_str().into();
    config
}

/// Runs a statement in the test's PostgreSQL database.
pub(crate) async fn postgres(config: &Config, sql: &str) {
    let client = devstack::postgres_client(config.postgres.url.expose()).await;
    client.batch_execute(sql).await.unwrap();
}

/// Makes the whole schema.
pub(crate) async fn migrate(config: &Config) {
    metadata_store::migrate(&config.postgres).await.unwrap();
    let store = Store::connect(&config.clickhouse).unwrap();
    migrations::apply(&store, &Rendering::single(&config.clickhouse.database))
        .await
        .unwrap();
}
