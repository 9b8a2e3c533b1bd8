//! A platform of a test's own: topics, group and databases on the shared servers.

use devstack::test_stack;
use event_store::{Params, Store};
use ingestor::Config;
use metadata_store::{Pool, lanes};
use rdkafka::{
    ClientConfig,
    producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
};
use service_runtime::config::HumanDuration;
use shared_schema::Domain;
use simulator::Record;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(90);

/// Settings, stores and a producer.
pub struct Platform {
    pub config: Config,
    pub store: Store,
    pub pool: Pool,
    producer: ThreadedProducer<DefaultProducerContext>,
}

/// A member that runs in this process.
pub struct Member {
    shutdown: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
}

impl Member {
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.running.await.unwrap().unwrap();
    }
}

impl Platform {
    pub async fn new(partitions: i32) -> Self {
        let stack = test_stack();
        let endpoints = stack.endpoints();
        let prefix = stack.unique("events");
        let mut config = Config::default();
        config.kafka.brokers = endpoints.kafka.clone();
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
        config.clickhouse.url = endpoints.clickhouse_http.parse().unwrap();
        config.clickhouse.database = stack.unique("analytics");
        config.postgres.url = stack.postgres_database().await.as_str().into();
        config.batch.max_age = HumanDuration::millis(200);
        config.settle.interval = HumanDuration::millis(300);
        config.admin.listen = "127.0.0.1:0".parse().unwrap();
        let migrations = migrate::Config {
            clickhouse: config.clickhouse.clone(),
            postgres: config.postgres.clone(),
            ..migrate::Config::default()
        };
        migrate::up(&migrations).await.unwrap();
        ingestor::topics::create(&config).await.unwrap();
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", &config.kafka.brokers).set("queue.buffering.max.messages", "2000000");
        Self {
            store: Store::connect(&config.clickhouse).unwrap(),
            pool: Pool::new(&config.postgres).unwrap(),
            producer: client.set("message.max.bytes", "5000000").create().unwrap(),
            config,
        }
    }

    pub fn start(&self) -> Member {
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(ingestor::run(self.config.clone(), shutdown.clone()));
        Member { shutdown, running }
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
        self.producer.send(BaseRecord::to(topic).key(key).payload(value)).map_err(|(error, _)| error).unwrap();
    }

    pub fn flush(&self) {
        self.producer.flush(PATIENCE).unwrap();
    }

    /// Waits until as many records have a durable verdict.
    pub async fn drained(&self, records: u64) {
        let started = Instant::now();
        loop {
            let lanes = lanes::all(&self.pool).await.unwrap();
            let durable: i64 = lanes.iter().map(|lane| lane.next_offset - lane.first_offset).sum();
            if u64::try_from(durable).unwrap() >= records {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{durable} of {records} records are durable: {lanes:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// One number.
    pub async fn number(&self, sql: &str) -> u64 {
        self.store.query(&format!("SELECT toUInt64(ifNull({sql}, 0))")).fetch_one().await.unwrap()
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
            let raw = format!("(SELECT count() FROM events_raw WHERE endsWith(kafka_topic, '.{domain}'))");
            assert_eq!(self.number(&count).await, self.number(&raw).await, "{domain}_events");
        }
        let pairs = [
            ("(SELECT sum(created) FROM agg_bookings WHERE scope = 'total')", "(SELECT countIf(event_type = 'booking.created') FROM booking_events)"),
            ("(SELECT sum(confirmed) FROM agg_bookings WHERE scope = 'total')", "(SELECT countIf(event_type = 'booking.confirmed') FROM booking_events)"),
            ("(SELECT sum(confirmed_value) * 100 FROM agg_bookings WHERE scope = 'total')", "(SELECT sum(total_price) * 100 FROM booking_events WHERE event_type = 'booking.confirmed')"),
            ("(SELECT sum(succeeded) FROM agg_payments WHERE scope = 'total')", "(SELECT countIf(event_type = 'payment.success') FROM payment_events)"),
            ("(SELECT sum(revenue) * 100 FROM agg_payments WHERE scope = 'total')", "(SELECT sum(amount) * 100 FROM payment_events WHERE event_type = 'payment.success')"),
            ("(SELECT sum(completed) FROM agg_trips WHERE scope = 'total')", "(SELECT countIf(event_type = 'trip.completed') FROM trip_events)"),
            ("(SELECT sum(distance_m) FROM agg_trips WHERE scope = 'total')", "(SELECT sum(distance_m) FROM trip_events WHERE event_type = 'trip.completed')"),
            ("(SELECT sum(registered) FROM agg_users WHERE scope = 'total')", "(SELECT countIf(event_type = 'user.registered') FROM user_events)"),
        ];
        for (aggregate, rows) in pairs {
            assert_eq!(self.number(aggregate).await, self.number(rows).await, "{aggregate}");
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
            let params = Params::new().with("t", &lane.topic).with("p", lane.partition);
            let counted: u64 = self.store.query(counted).params(&params).fetch_one().await.unwrap();
            let offsets = u64::try_from(lane.next_offset - lane.first_offset).unwrap();
            assert_eq!(counted, offsets, "{}/{} is not balanced", lane.topic, lane.partition);
        }
    }
}
