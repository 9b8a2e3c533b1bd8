//! Topics, databases, an ingestor and a verifier of a test's own, on the shared servers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use clap::Parser;
use devstack::{Member, test_stack};
use event_store::{Params, Store};
use ingestor::{Config, lanes_command::LanesCommand};
use metadata_store::{Pool, lanes};
use rdkafka::{
    ClientConfig,
    producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
};
use service_runtime::{
    clock::{Clock, SystemClock},
    config::HumanDuration,
};
use shared_schema::Domain;
use simulator::{Emission, Mess, Simulation, Traffic};
use verify::{Outcome, Report, Verifier};

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a test needs.
pub(crate) struct Platform {
    config: Config,
    pub(crate) store: Store,
    pool: Pool,
    producer: ThreadedProducer<DefaultProducerContext>,
}

/// What an operator says.
#[derive(Parser)]
struct Lanes {
    #[command(subcommand)]
    command: LanesCommand,
}

/// Some days of records that end now, with duplicates and records that are no events.
pub(crate) fn traffic(seed: u64, days: i64, rides: u64) -> Vec<Emission> {
    let now = SystemClock.now();
    let start = now - TimeDelta::days(days);
    println!("seed {seed}");
    let config = simulator::Config::new(
        seed,
        start.timestamp_millis(),
        now.timestamp_millis(),
        rides,
    );
    let mess = Mess {
        malformed: 0.01,
        ..Mess::normal()
    };
    Traffic::new(
        Simulation::new(&config),
        seed,
        mess,
        Some(now.timestamp_millis()),
    )
    .collect()
}

impl Platform {
    pub(crate) async fn new() -> Self {
        let stack = test_stack();
        let prefix = stack.unique("events");
        let mut config = Config::default();
        config.kafka.brokers.clone_from(&stack.endpoints().kafka);
        config.kafka.group = stack.unique("group");
        config.kafka.partitions = 2;
        config.kafka.dead_letter_topic = format!("{prefix}.dlq");
        let topic = |domain: Domain| format!("{prefix}.{domain}");
        config.topics.user = topic(Domain::User);
        config.topics.booking = topic(Domain::Booking);
        config.topics.payment = topic(Domain::Payment);
        config.topics.trip = topic(Domain::Trip);
        config.topics.route = topic(Domain::Route);
        config.topics.location = topic(Domain::Location);
        config.clickhouse.url = stack.endpoints().clickhouse_http.parse().unwrap();
        config.clickhouse.database = stack.clickhouse_database("verified");
        config.postgres.url = stack.postgres_database().await.as_str().into();
        config.batch.max_age = HumanDuration::millis(200);
        config.settle.interval = HumanDuration::millis(300);
        config.settle.patience = HumanDuration::millis(500);
        config.admin.listen = "127.0.0.1:0".parse().unwrap();
        let migrations = migrate::Config {
            clickhouse: config.clickhouse.clone(),
            postgres: config.postgres.clone(),
            ..migrate::Config::default()
        };
        migrate::up(&migrations).await.unwrap();
        ingestor::topics::create(&config).await.unwrap();
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", &config.kafka.brokers)
            .set("message.max.bytes", "5000000");
        Self {
            store: Store::connect(&config.clickhouse).unwrap(),
            pool: Pool::new(&config.postgres).unwrap(),
            producer: client.create().unwrap(),
            config,
        }
    }

    /// One of which an ingestor has stored these records and settled what they tell, and is gone.
    pub(crate) async fn with(emissions: &[Emission]) -> Self {
        let platform = Self::new().await;
        let member = platform.start();
        platform.send(emissions);
        platform.settled(emissions.len()).await;
        member.stop().await;
        platform
    }

    /// Starts an ingestor.
    pub(crate) fn start(&self) -> Member {
        Member::start(|shutdown| ingestor::run(self.config.clone(), shutdown))
    }

    pub(crate) fn send(&self, emissions: &[Emission]) {
        for record in emissions.iter().map(|emission| &emission.record) {
            let topic = self.config.topics.topic_of(record.topic);
            let message = BaseRecord::to(topic)
                .key(&record.key)
                .payload(&record.value);
            self.producer
                .send(message)
                .map_err(|(error, _)| error)
                .unwrap();
        }
        self.producer.flush(PATIENCE).unwrap();
    }

    /// Waits until so many records have a durable verdict, and no fact waits for its region.
    pub(crate) async fn settled(&self, records: usize) {
        let began = Instant::now();
        loop {
            let lanes = lanes::all(&self.pool).await.unwrap();
            let durable: i64 = lanes
                .iter()
                .map(|lane| lane.next_offset - lane.first_offset)
                .sum();
            let waiting = if usize::try_from(durable).unwrap() < records {
                None
            } else {
                Some(self.waiting().await)
            };
            if waiting == Some(0)
                && metadata_store::settlings::current(&self.pool)
                    .await
                    .unwrap()
                    .is_none()
            {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{durable} of {records} durable, {waiting:?} waiting"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until an ingestor has made the partitions known.
    pub(crate) async fn known(&self) {
        let began = Instant::now();
        while lanes::all(&self.pool).await.unwrap().is_empty() {
            assert!(began.elapsed() < PATIENCE, "no partition is known");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn waiting(&self) -> u64 {
        let parts = ["user", "booking", "payment", "trip", "route"]
            .map(|domain| format!("SELECT count() AS facts FROM waiting_{domain}"));
        let sql = format!("SELECT sum(facts) FROM ({})", parts.join(" UNION ALL "));
        self.store.query(&sql).fetch_one().await.unwrap()
    }

    /// Adds lanes that nobody reads and nothing waits for.
    pub(crate) async fn retired_lanes(&self, lanes: u32) {
        let sql = format!(
            "INSERT INTO ingest_lane (topic, partition, first_offset, next_offset, stopped_reason, retired_at) \
             SELECT 'gone', number, 3, 3, 'retired', now() FROM generate_series(1, {lanes}) AS number"
        );
        self.in_postgres(&sql).await;
    }

    /// Gives up what is unread of the first partition of the first topic. Answers how many offsets are lost by that.
    pub(crate) async fn give_up_the_unread(&self) -> u64 {
        let lanes = lanes::all(&self.pool).await.unwrap();
        let first = lanes.first().unwrap();
        let first = format!("{}/{}", first.topic, first.partition);
        let said = ["lanes", "retire", &first, "--force", "--yes"];
        let command = Lanes::parse_from(said).command;
        ingestor::lanes_command::run(command, self.config.clone())
            .await
            .unwrap();
        let lost = "SELECT toUInt64(sum(last_offset - first_offset + 1)) FROM ingest_gaps WHERE cause = 'lost'";
        self.store.query(lost).fetch_one().await.unwrap()
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.store.execute(sql, &Params::new()).await.unwrap();
    }

    /// What happens to PostgreSQL.
    pub(crate) async fn in_postgres(&self, sql: &str) {
        let client = devstack::postgres_client(self.config.postgres.url.expose()).await;
        client.batch_execute(sql).await.unwrap();
    }

    pub(crate) async fn text(&self, sql: &str) -> String {
        self.store.query(sql).fetch_one().await.unwrap()
    }

    /// What the verifier says, and of what.
    pub(crate) async fn verified(&self) -> (Outcome, Vec<Report>) {
        let verifier = Verifier {
            store: self.store.clone(),
            pool: self.pool.clone(),
            clock: Arc::new(SystemClock),
            patience: Duration::from_secs(20),
            pause: Duration::from_millis(100),
        };
        let mut reports = Vec::new();
        let outcome = verifier
            .run(|report| reports.push(report.clone()))
            .await
            .unwrap();
        (outcome, reports)
    }
}
