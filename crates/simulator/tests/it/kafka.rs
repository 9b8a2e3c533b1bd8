//! Through the real Kafka and back.

use super::judge::Judge;
use super::story::{END_MS, config};
use devstack::test_stack;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};
use shared_schema::Domain;
use simulator::{
    Compression, Exactly, Expected, Mess, Producer, ProducerConfig, Record, RecordTime, TopicNames,
    Verdicts, allowed_record_time,
};
use std::collections::HashMap;
use std::time::{Duration, Instant};

const PARTITIONS: i32 = 3;

fn client() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &test_stack().endpoints().kafka);
    config
}

pub(crate) async fn create_topics(names: &TopicNames, settings: &[(&str, &str)]) {
    let admin: AdminClient<DefaultClientContext> = client().create().unwrap();
    let names = Domain::ALL.map(|domain| names.name(domain));
    let topics: Vec<NewTopic<'_>> = names
        .iter()
        .map(|name| {
            let topic = NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1));
            settings
                .iter()
                .fold(topic, |topic, (key, value)| topic.set(key, value))
        })
        .collect();
    let results = admin
        .create_topics(&topics, &AdminOptions::new())
        .await
        .unwrap();
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

fn producer(names: &TopicNames, record_time: RecordTime) -> ProducerConfig {
    ProducerConfig {
        brokers: test_stack().endpoints().kafka.clone(),
        topics: names.clone(),
        compression: Compression::Lz4,
        record_time,
    }
}

/// Every record of the topics, by partition and in order.
pub(crate) fn read_back(
    names: &TopicNames,
    expected: usize,
) -> HashMap<(Domain, i32), Vec<Record>> {
    let consumer: BaseConsumer = client()
        .set("group.id", test_stack().unique("simulator"))
        .set("fetch.message.max.bytes", "8000000")
        .create()
        .unwrap();
    let mut assignment = TopicPartitionList::new();
    for domain in Domain::ALL {
        for partition in 0..PARTITIONS {
            let name = names.name(domain);
            assignment
                .add_partition_offset(&name, partition, Offset::Beginning)
                .unwrap();
        }
    }
    consumer.assign(&assignment).unwrap();
    let mut records = HashMap::<(Domain, i32), Vec<Record>>::new();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut count = 0;
    while count < expected {
        assert!(
            Instant::now() < deadline,
            "{count} of {expected} records came back"
        );
        let Some(message) = consumer.poll(Duration::from_millis(200)) else {
            continue;
        };
        let message = message.unwrap();
        let topic = Domain::ALL
            .into_iter()
            .find(|domain| names.name(*domain) == message.topic());
        let topic = topic.unwrap();
        let record = Record {
            topic,
            key: message.key().unwrap_or_default().to_vec(),
            value: message.payload().unwrap_or_default().to_vec(),
            timestamp_ms: message.timestamp().to_millis().unwrap(),
        };
        records
            .entry((topic, message.partition()))
            .or_default()
            .push(record);
        count += 1;
    }
    records
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_comes_back_and_gets_the_verdicts_that_the_key_promises() {
    let names = TopicNames::with_prefix(&test_stack().unique("simulator-verdicts"));
    create_topics(&names, &[("retention.ms", "-1")]).await;
    let mess = Mess {
        duplicates: 0.05,
        malformed: 0.05,
        ..Mess::normal()
    };
    let exactly = Exactly::new(8_000, &config(21, 0), mess);
    let mut sender = Producer::new(&producer(&names, RecordTime::Now)).unwrap();
    let mut promised = Verdicts::default();
    for emission in exactly.emissions() {
        promised.observe(&emission);
        sender.send(&emission.record).unwrap();
    }
    let delivered = tokio::task::spawn_blocking(|| sender.finish())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(delivered, 8_000);

    let records = tokio::task::spawn_blocking(move || read_back(&names, 8_000))
        .await
        .unwrap();
    let mut found = HashMap::<(Domain, Expected), u64>::new();
    for ((topic, _), records) in &records {
        // each partition is judged by itself
        let mut judge = Judge::new(END_MS + 3_600_000, 1_000);
        for record in records {
            *found.entry((*topic, judge.judge(record))).or_default() += 1;
        }
    }
    for topic in Domain::ALL {
        let promised = promised.of(topic);
        let count = |verdict| found.get(&(topic, verdict)).copied().unwrap_or_default();
        assert_eq!(count(Expected::Accepted), promised.accepted, "{topic}");
        assert_eq!(count(Expected::Duplicate), promised.duplicate, "{topic}");
        for (reason, expected) in &promised.dead_lettered {
            assert_eq!(
                count(Expected::DeadLetter(*reason)),
                *expected,
                "{topic} {reason}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_bear_the_time_of_their_arrival_only_where_kafka_keeps_them() {
    let forever = TopicNames::with_prefix(&test_stack().unique("simulator-forever"));
    create_topics(
        &forever,
        &[
            ("retention.ms", "-1"),
            ("message.timestamp.type", "CreateTime"),
        ],
    )
    .await;
    let week = TopicNames::with_prefix(&test_stack().unique("simulator-week"));
    create_topics(&week, &[("retention.ms", "604800000")]).await;
    let stamped = TopicNames::with_prefix(&test_stack().unique("simulator-stamped"));
    create_topics(
        &stamped,
        &[
            ("retention.ms", "-1"),
            ("message.timestamp.type", "LogAppendTime"),
        ],
    )
    .await;
    let day_ms = 24 * 3_600_000;
    let allowed = async |names: &TopicNames, age_ms: i64| {
        let config = producer(names, RecordTime::Now);
        allowed_record_time(&config, END_MS - age_ms, END_MS)
            .await
            .unwrap()
    };
    assert_eq!(allowed(&forever, 88 * day_ms).await, RecordTime::Arrival);
    assert_eq!(allowed(&week, 88 * day_ms).await, RecordTime::Now);
    assert_eq!(allowed(&week, 2 * day_ms).await, RecordTime::Arrival);
    assert_eq!(allowed(&stamped, 0).await, RecordTime::Now);

    let mut sender = Producer::new(&producer(&forever, RecordTime::Arrival)).unwrap();
    let emissions: Vec<_> = Exactly::new(300, &config(22, 0), Mess::NONE)
        .emissions()
        .collect();
    for emission in &emissions {
        sender.send(&emission.record).unwrap();
    }
    sender.finish().unwrap();
    let mut sent: Vec<Record> = emissions
        .into_iter()
        .map(|emission| emission.record)
        .collect();
    let back = tokio::task::spawn_blocking(move || read_back(&forever, 300))
        .await
        .unwrap();
    let mut back: Vec<Record> = back.into_values().flatten().collect();
    sent.sort_by(|left, right| left.value.cmp(&right.value));
    back.sort_by(|left, right| left.value.cmp(&right.value));
    assert!(sent == back);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_delivered_fails_the_run() {
    let names = TopicNames::with_prefix(&test_stack().unique("simulator-small"));
    create_topics(&names, &[("max.message.bytes", "1000")]).await;
    let mut sender = Producer::new(&producer(&names, RecordTime::Now)).unwrap();
    let key = b"key".to_vec();
    let value: Vec<u8> = (0..4_000_u32)
        .flat_map(|number| (number * 7_919).to_be_bytes())
        .collect();
    sender
        .send(&Record {
            topic: Domain::User,
            key,
            value,
            timestamp_ms: 0,
        })
        .unwrap();
    let outcome = tokio::task::spawn_blocking(|| sender.finish())
        .await
        .unwrap();
    assert!(outcome.is_err(), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_topic_is_named() {
    let names = TopicNames::with_prefix(&test_stack().unique("simulator-missing"));
    let config = producer(&names, RecordTime::Now);
    let error = allowed_record_time(&config, END_MS, END_MS)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains(&names.name(Domain::User)),
        "{error}"
    );
}
