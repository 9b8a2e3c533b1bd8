//! A platform of a test's own: topics, group and databases on the shared servers.

use crate::member;
use devstack::{Member, test_stack};
use event_store::{Params, Store};
use ingestor::Config;
use metadata_store::{Pool, batches, lanes, lanes::Lane};
use rdkafka::{
    ClientConfig,
    message::{Header, OwnedHeaders},
    producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
};
use service_runtime::config::HumanDuration;
use shared_schema::Domain;
use simulator::Record;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// How long a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Where a platform's servers are.
pub struct Servers {
    /// `host:port`.
    pub kafka: String,
    /// URL of the HTTP interface.
    pub clickhouse: String,
    /// URL of an empty database.
    pub postgres: String,
}

impl Servers {
    /// Those that all tests share.
    pub async fn shared() -> Self {
        let stack = test_stack();
        let endpoints = stack.endpoints();
        Self {
            kafka: endpoints.kafka.clone(),
            clickhouse: endpoints.clickhouse_http.clone(),
            postgres: stack.postgres_database().await,
        }
    }
}

/// Settings, stores and a producer.
pub struct Platform {
    pub config: Config,
    pub store: Store,
    pub pool: Pool,
    producer: ThreadedProducer<DefaultProducerContext>,
}

fn producer(config: &Config) -> ThreadedProducer<DefaultProducerContext> {
    ClientConfig::new()
        .set("bootstrap.servers", &config.kafka.brokers)
        .set("queue.buffering.max.messages", "2000000")
        .set("message.max.bytes", "15000000")
        .create()
        .unwrap()
}

fn durable(lanes: &[Lane]) -> u64 {
    lanes
        .iter()
        .map(|lane| u64::try_from(lane.next_offset - lane.first_offset).unwrap())
        .sum()
}

/// Asks until the answer is yes; false when the time is up.
pub async fn until(mut is_so: impl AsyncFnMut() -> bool) -> bool {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if is_so().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    false
}

impl Platform {
    /// On the servers that all tests share.
    pub async fn new(partitions: i32) -> Self {
        Self::on(Servers::shared().await, partitions).await
    }

    /// On these servers.
    pub async fn on(servers: Servers, partitions: i32) -> Self {
        // with RUST_LOG set, a test that fails shows what its members said
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        let _ = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_test_writer()
            .try_init();
        let stack = test_stack();
        let prefix = stack.unique("events");
        let mut config = Config::default();
        config.kafka.brokers = servers.kafka;
        // a member that was killed is missed soon
        config.kafka.session_timeout = HumanDuration::secs(6);
        config.kafka.group = stack.unique("group");
        config.kafka.partitions = partitions;
        config.kafka.dead_letter_topic = format!("{prefix}.dlq");
        let topic = |domain: Domain| format!("{prefix}.{domain}");
        config.topics.user = topic(Domain::User);
        config.topics.booking = topic(Domain::Booking);
        config.topics.payment = topic(Domain::Payment);
        config.topics.trip = topic(Domain::Trip);
        config.topics.route = topic(Domain::Route);
        config.topics.location = topic(Domain::Location);
        config.clickhouse.url = servers.clickhouse.parse().unwrap();
        config.clickhouse.database = stack.clickhouse_database("analytics");
        config.postgres.url = servers.postgres.as_str().into();
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
        Self {
            store: Store::connect(&config.clickhouse).unwrap(),
            pool: Pool::new(&config.postgres).unwrap(),
            producer: producer(&config),
            config,
        }
    }

    /// A producer that knows the partitions as they are now.
    pub fn renew_producer(&mut self) {
        self.producer = producer(&self.config);
    }

    /// The subscribed topics.
    pub fn topics(&self) -> Vec<String> {
        Domain::ALL
            .map(|domain| self.config.topics.topic_of(domain).to_owned())
            .to_vec()
    }

    /// Starts a member in this process.
    pub fn start(&self) -> Member {
        member::start(&self.config)
    }

    /// Sends records, whose places are then known by order within a partition.
    pub fn send<'a>(&self, records: impl IntoIterator<Item = &'a Record>) {
        for record in records {
            let topic = self.config.topics.topic_of(record.topic);
            self.send_raw(topic, &record.key, &record.value);
        }
        self.flush();
    }

    pub fn send_raw(&self, topic: &str, key: &[u8], value: &[u8]) {
        self.send_maybe(topic, key, Some(value));
    }

    /// A record, or a tombstone.
    pub fn send_maybe(&self, topic: &str, key: &[u8], value: Option<&[u8]>) {
        let record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).key(key);
        let record = match value {
            Some(value) => record.payload(value),
            None => record,
        };
        self.producer
            .send(record)
            .map_err(|(error, _)| error)
            .unwrap();
    }

    /// An event that says where it comes from, and is there when this returns.
    pub fn send_traced(&self, topic: &str, value: &str, trace_parent: &str) {
        let header = Header {
            key: "traceparent",
            value: Some(trace_parent),
        };
        let record = BaseRecord::to(topic).key("key").payload(value);
        let record = record.headers(OwnedHeaders::new().insert(header));
        self.producer
            .send(record)
            .map_err(|(error, _)| error)
            .unwrap();
        self.flush();
    }

    pub fn flush(&self) {
        self.producer.flush(PATIENCE).unwrap();
    }

    /// Waits until the lanes are as wanted. PostgreSQL may be down meanwhile.
    pub async fn lanes_are(&self, what: &str, wanted: impl Fn(&[Lane]) -> bool) {
        let mut seen = Vec::new();
        let is_so = async || {
            seen = lanes::all(&self.pool).await.unwrap_or_default();
            wanted(&seen)
        };
        let in_time = until(is_so).await;
        assert!(in_time, "the lanes never were {what}: {seen:#?}");
    }

    /// Waits until as many offsets have a durable verdict.
    pub async fn drained(&self, offsets: u64) {
        self.lanes_are(&format!("at {offsets} offsets"), |lanes| {
            durable(lanes) >= offsets
        })
        .await;
    }

    /// Whether as many offsets have a durable verdict.
    pub async fn is_drained(&self, offsets: u64) -> bool {
        lanes::all(&self.pool)
            .await
            .is_ok_and(|lanes| durable(&lanes) >= offsets)
    }

    /// Waits until so many members share all lanes.
    pub async fn owned_by(&self, members: usize) {
        let lanes_of_all =
            Domain::ALL.len() * usize::try_from(self.config.kafka.partitions).unwrap();
        let shared = |lanes: &[Lane]| {
            let owners: BTreeSet<_> = lanes
                .iter()
                .filter_map(|lane| lane.owner.as_ref())
                .collect();
            let owned = lanes.iter().filter(|lane| lane.owner.is_some()).count();
            owners.len() == members && owned == lanes_of_all
        };
        self.lanes_are(&format!("shared by {members}"), shared)
            .await;
    }

    /// Waits until a batch is open, and tells which.
    pub async fn opened(&self) -> Uuid {
        let mut found = None;
        let is_open = async || {
            let open = batches::open(&self.pool).await.unwrap_or_default();
            found = open.first().map(|(id, ..)| *id);
            found.is_some()
        };
        assert!(until(is_open).await, "no batch was opened");
        found.unwrap()
    }

    /// Tells ClickHouse to do something.
    pub async fn execute(&self, sql: &str) {
        self.store.execute(sql, &Params::new()).await.unwrap();
    }

    /// One number.
    pub async fn number(&self, sql: &str) -> u64 {
        self.store
            .query(&format!("SELECT toUInt64(ifNull({sql}, 0))"))
            .fetch_one()
            .await
            .unwrap()
    }

    /// Dead letters by reason.
    pub async fn dead_letters(&self) -> BTreeMap<String, u64> {
        let sql = "SELECT concat(reason, ' ', toString(count())) FROM dead_letters GROUP BY reason";
        let rows: Vec<String> = self.store.query(sql).fetch_all().await.unwrap();
        let pair = |row: &String| {
            let (reason, count) = row.rsplit_once(' ').unwrap();
            (reason.to_owned(), count.parse().unwrap())
        };
        rows.iter().map(pair).collect()
    }

    /// Everything that is stored has been stored once, and every aggregate is what its rows say.
    pub async fn assert_exact(&self) {
        let twice = "(SELECT count() FROM (SELECT kafka_topic, kafka_partition, kafka_offset FROM events_raw \
             GROUP BY ALL HAVING count() > 1))";
        assert_eq!(self.number(twice).await, 0, "offsets stored twice");
        for domain in Domain::ALL {
            let domain = domain.as_str();
            let missing = format!(
                "(SELECT count() FROM events_raw WHERE endsWith(kafka_topic, '.{domain}') \
                    AND (kafka_topic, kafka_partition, kafka_offset) \
                        NOT IN (SELECT kafka_topic, kafka_partition, kafka_offset FROM {domain}_events))"
            );
            assert_eq!(self.number(&missing).await, 0, "{domain} rows missing");
            let count = format!("(SELECT count() FROM {domain}_events)");
            let raw = format!(
                "(SELECT count() FROM events_raw WHERE endsWith(kafka_topic, '.{domain}'))"
            );
            assert_eq!(
                self.number(&count).await,
                self.number(&raw).await,
                "{domain}_events"
            );
        }
        let pairs = [
            (
                "(SELECT sum(created) FROM agg_bookings WHERE scope = 'total')",
                "(SELECT countIf(event_type = 'booking.created') FROM booking_events)",
            ),
            (
                "(SELECT sum(confirmed) FROM agg_bookings WHERE scope = 'total')",
                "(SELECT countIf(event_type = 'booking.confirmed') FROM booking_events)",
            ),
            (
                "(SELECT sum(confirmed_value) * 100 FROM agg_bookings WHERE scope = 'total')",
                "(SELECT sum(total_price) * 100 FROM booking_events WHERE event_type = 'booking.confirmed')",
            ),
            (
                "(SELECT sum(succeeded) FROM agg_payments WHERE scope = 'total')",
                "(SELECT countIf(event_type = 'payment.success') FROM payment_events)",
            ),
            (
                "(SELECT sum(revenue) * 100 FROM agg_payments WHERE scope = 'total')",
                "(SELECT sum(amount) * 100 FROM payment_events WHERE event_type = 'payment.success')",
            ),
            (
                "(SELECT sum(completed) FROM agg_trips WHERE scope = 'total')",
                "(SELECT countIf(event_type = 'trip.completed') FROM trip_events)",
            ),
            (
                "(SELECT sum(distance_m) FROM agg_trips WHERE scope = 'total')",
                "(SELECT sum(distance_m) FROM trip_events WHERE event_type = 'trip.completed')",
            ),
            (
                "(SELECT sum(registered) FROM agg_users WHERE scope = 'total')",
                "(SELECT countIf(event_type = 'user.registered') FROM user_events)",
            ),
        ];
        for (aggregate, rows) in pairs {
            assert_eq!(
                self.number(aggregate).await,
                self.number(rows).await,
                "{aggregate}"
            );
        }
    }

    /// Every lane's offsets are accounted for by stored rows.
    pub async fn assert_balanced(&self) {
        for lane in lanes::all(&self.pool).await.unwrap() {
            let counted = "SELECT sum(n) FROM ( \
                SELECT count() AS n FROM events_raw WHERE kafka_topic = {t:String} AND kafka_partition = {p:UInt32} \
                UNION ALL SELECT count() FROM duplicates WHERE kafka_topic = {t:String} AND kafka_partition = {p:UInt32} \
                UNION ALL SELECT count() FROM dead_letters WHERE kafka_topic = {t:String} AND kafka_partition = {p:UInt32} \
                UNION ALL SELECT toUInt64(sum(last_offset - first_offset + 1)) FROM ingest_gaps WHERE kafka_topic = {t:String} AND kafka_partition = {p:UInt32})";
            let params = Params::new()
                .with("t", &lane.topic)
                .with("p", lane.partition);
            let counted: u64 = self
                .store
                .query(counted)
                .params(&params)
                .fetch_one()
                .await
                .unwrap();
            let offsets = u64::try_from(lane.next_offset - lane.first_offset).unwrap();
            assert_eq!(
                counted, offsets,
                "{}/{} is not balanced",
                lane.topic, lane.partition
            );
        }
    }
}
