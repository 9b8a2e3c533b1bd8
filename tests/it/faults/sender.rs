//! A known story, and what must be stored of it.

use std::{
    collections::BTreeMap,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use chrono::{DateTime, SubsecRound as _, Utc};
use event_store::Store;
use ingestor::Config;
use rdkafka::{
    ClientConfig,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer},
};
use simulator::{Emission, Expected, Mess, Simulation, Traffic, answer::AnswerKey};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) struct Story {
    pub(super) start: DateTime<Utc>,
    /// Nothing happens later, but clocks may be ahead.
    pub(super) end: DateTime<Utc>,
    judged_at_ms: i64,
    emissions: Vec<Emission>,
}

impl Story {
    #[expect(
        clippy::disallowed_methods,
        reason = "the age of the events is judged by the real clock"
    )]
    pub(super) fn new(seed: u64, rides: u64) -> Self {
        let now = Utc::now();
        let end = (now - HOUR).trunc_subsecs(0);
        let start = end - DAY * 25;
        let judged_at_ms = now.timestamp_millis();
        let config = simulator::Config::new(
            seed,
            start.timestamp_millis(),
            end.timestamp_millis(),
            rides,
        );
        let mut mess = Mess::normal();
        mess.reasons
            .retain(|reason| *reason != shared_schema::ReasonCode::TooLarge);
        let traffic = Traffic::new(Simulation::new(&config), seed, mess, Some(judged_at_ms));
        Self {
            start,
            end,
            judged_at_ms,
            emissions: traffic.collect(),
        }
    }

    /// What is right about the events that must be accepted.
    pub(super) fn key(&self) -> AnswerKey {
        let mut key = AnswerKey::default();
        for event in self.emissions.iter().filter_map(|sent| sent.event.as_ref()) {
            key.observe(event, self.judged_at_ms);
        }
        key
    }

    pub(super) fn len(&self) -> u64 {
        self.emissions.len() as u64
    }

    /// Sends all of it, so many records a second and ten at least, in order and once, over restarts of the broker too.
    pub(super) fn send(self: Arc<Self>, config: Config, rate: usize) -> JoinHandle<()> {
        thread::spawn(move || {
            let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
                .set("bootstrap.servers", &config.kafka.brokers)
                .set("enable.idempotence", "true")
                .set("message.max.bytes", "4000000")
                .create()
                .unwrap();
            for portion in self.emissions.chunks((rate / 10).max(1)) {
                for emission in portion {
                    send(&producer, &config, emission);
                }
                thread::sleep(Duration::from_millis(100));
            }
            producer.flush(PATIENCE).unwrap();
        })
    }

    fn count(&self, expected: Expected) -> u64 {
        self.emissions
            .iter()
            .filter(|emission| emission.expected == expected)
            .count() as u64
    }

    /// Every record has got its verdict once.
    pub(super) async fn assert_told(&self, store: &Store) {
        let mut reasons = BTreeMap::new();
        for emission in &self.emissions {
            if let Expected::DeadLetter(reason) = emission.expected {
                *reasons.entry(reason.as_str().to_owned()).or_default() += 1;
            }
        }
        let sql = "SELECT toString(reason), count() FROM dead_letters GROUP BY reason";
        let found: Vec<(String, u64)> = store.query(sql).fetch_all().await.unwrap();
        assert_eq!(found.into_iter().collect::<BTreeMap<_, _>>(), reasons);
        for (table, expected) in [
            ("duplicates", Expected::Duplicate),
            ("events_raw", Expected::Accepted),
        ] {
            let sql = format!(
                "SELECT count(), uniqExact(kafka_topic, kafka_partition, kafka_offset) FROM {table}"
            );
            let found: (u64, u64) = store.query(&sql).fetch_one().await.unwrap();
            assert_eq!(
                found,
                (self.count(expected), self.count(expected)),
                "{table}"
            );
        }
    }
}

fn send(producer: &ThreadedProducer<DefaultProducerContext>, config: &Config, emission: &Emission) {
    let topic = config.topics.topic_of(emission.record.topic);
    let mut record = BaseRecord::to(topic)
        .key(&emission.record.key)
        .payload(&emission.record.value);
    while let Err((error, back)) = producer.send(record) {
        let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
        assert_eq!(error, full);
        thread::sleep(Duration::from_millis(50));
        record = back;
    }
}
