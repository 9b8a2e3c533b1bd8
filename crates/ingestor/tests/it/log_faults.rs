//! Kafka's log has gaps, loses its beginning, grows, and is made anew.

use crate::{
    kafka_admin::{admin, options},
    member::Program,
    platform::{PATIENCE, Platform, until},
    proxy::{Fault, Proxy},
    story::Story,
};
use chrono::Utc;
use metadata_store::{lanes, lanes::Lane};
use rdkafka::{
    ClientConfig, TopicPartitionList,
    admin::{NewPartitions, NewTopic, TopicReplication},
    producer::{BaseProducer, BaseRecord, Producer},
};
use service_runtime::config::HumanDuration;
use simulator::Record;
use std::time::Duration;
use tokio::time::sleep;

fn transactional(platform: &Platform, id: &str) -> BaseProducer {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &platform.config.kafka.brokers)
        .set(
            "transactional.id",
            format!("{id} of {}", platform.config.kafka.group),
        )
        .create()
        .unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer
}

fn in_transaction<'a>(
    platform: &Platform,
    producer: &BaseProducer,
    records: impl Iterator<Item = &'a Record>,
    commit: bool,
) {
    producer.begin_transaction().unwrap();
    for record in records {
        let topic = platform.config.topics.topic_of(record.topic);
        let mut next = BaseRecord::to(topic)
            .key(&record.key)
            .payload(&record.value);
        while let Err((_, back)) = producer.send(next) {
            producer.poll(PATIENCE);
            next = back;
        }
    }
    if commit {
        producer.commit_transaction(PATIENCE).unwrap();
    } else {
        producer.flush(PATIENCE).unwrap();
        producer.abort_transaction(PATIENCE).unwrap();
    }
}

/// Offsets of the partitions that have been used, markers included.
async fn ends(platform: &Platform) -> u64 {
    let client = admin(platform);
    let client = client.inner();
    let mut all = 0;
    for topic in platform.topics() {
        for partition in 0..platform.config.kafka.partitions {
            let (low, high) = client
                .fetch_watermarks(&topic, partition, PATIENCE)
                .unwrap();
            all += u64::try_from(high - low).unwrap();
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_leave_gaps_with_a_cause_and_a_balanced_ledger() {
    let platform = Platform::new(1).await;
    let (story, aborted) = (Story::new(81, 60), Story::new(82, 20));
    let producer = transactional(&platform, "one");
    let member = platform.start();
    for portion in story.portions(3) {
        in_transaction(&platform, &producer, aborted.records().take(100), false);
        in_transaction(&platform, &producer, portion, true);
    }
    // the last offsets of all partitions are aborted records and markers
    in_transaction(&platform, &producer, aborted.records(), false);
    platform.drained(ends(&platform).await).await;
    member.stop().await;
    story.assert_told(&platform).await;
    let causes = "(SELECT uniqExact(cause) = 1 AND any(cause) = 'control' FROM ingest_gaps)";
    assert_eq!(platform.number(causes).await, 1);
    let gaps = platform
        .number("(SELECT sum(last_offset - first_offset + 1) FROM ingest_gaps)")
        .await;
    assert_eq!(gaps, ends(&platform).await - story.len());
    let ledger =
        "(SELECT sum(accepted + duplicate + dead_lettered + gap_offsets) FROM ingest_ledger)";
    assert_eq!(platform.number(ledger).await, ends(&platform).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_open_holds_back_what_follows_it_and_nothing_else() {
    let platform = Platform::new(1).await;
    let story = Story::new(83, 40);
    let producer = transactional(&platform, "two");
    let topic = platform.config.topics.booking.clone();
    producer.begin_transaction().unwrap();
    producer
        .send(BaseRecord::to(&topic).key("key").payload("no event"))
        .map_err(|(error, _)| error)
        .unwrap();
    producer.flush(PATIENCE).unwrap();
    platform.send(story.records());
    let member = platform.start();
    let bookings = story
        .records()
        .filter(|record| platform.config.topics.topic_of(record.topic) == topic)
        .count();
    platform.drained(story.len() - bookings as u64).await;
    assert_eq!(
        platform
            .number("(SELECT count() FROM booking_events)")
            .await,
        0
    );
    producer.abort_transaction(PATIENCE).unwrap();
    platform.drained(ends(&platform).await).await;
    member.stop().await;
    story.assert_told(&platform).await;
}

pub async fn delete_before_the_end(platform: &Platform, topic: &str) {
    let client = admin(platform);
    let (_, high) = client.inner().fetch_watermarks(topic, 0, PATIENCE).unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, rdkafka::Offset::Offset(high))
        .unwrap();
    client.delete_records(&list, &options()).await.unwrap();
}

fn stands(lanes: &[Lane], topic: &str) -> bool {
    lanes
        .iter()
        .any(|lane| lane.topic == topic && lane.stopped_reason.is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_that_overtakes_an_open_batch_parks_its_range_and_no_other() {
    let platform = Platform::new(1).await;
    let story = Story::new(84, 60);
    let topic = platform.config.topics.location.clone();
    let (insert, hold) = ("query=INSERT+INTO", Fault::Hold(0));
    let (first, _proxy) = Program::struck(&platform, insert, hold, story.records()).await;
    first.kill();
    delete_before_the_end(&platform, &topic).await;

    let second = platform.start();
    platform
        .lanes_are("stopped", |lanes| stands(lanes, &topic))
        .await;
    let lost = story
        .records()
        .filter(|record| platform.config.topics.topic_of(record.topic) == topic)
        .count();
    platform.drained(story.len() - lost as u64).await;
    second.stop().await;
    assert_eq!(
        platform
            .number("(SELECT count() FROM location_events)")
            .await,
        0
    );
    platform.assert_exact().await;
    platform.assert_balanced().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_that_overtakes_a_whole_batch_stops_its_lane() {
    let platform = Platform::new(1).await;
    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    let topic = platform.config.topics.booking.clone();
    let first = Program::start(&config);
    platform.owned_by(1).await;
    proxy.plan("query=INSERT+INTO", 0, Fault::Hold(0));
    platform.send_raw(&topic, b"key", b"no event");
    platform.flush();
    proxy.struck().await;
    first.kill();
    delete_before_the_end(&platform, &topic).await;

    let second = platform.start();
    platform
        .lanes_are("stopped", |lanes| stands(lanes, &topic))
        .await;
    // the batch must not stay open over what can never be read again
    let closed = until(async || {
        metadata_store::batches::open(&platform.pool)
            .await
            .unwrap()
            .is_empty()
    })
    .await;
    assert!(closed, "the batch stays open");
    let story = Story::new(85, 30);
    let others = story
        .records()
        .filter(|record| platform.config.topics.topic_of(record.topic) != topic);
    let others: Vec<_> = others.cloned().collect();
    platform.send(&others);
    platform.drained(others.len() as u64).await;
    second.stop().await;
    platform.assert_exact().await;
    platform.assert_balanced().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_that_overtakes_a_range_with_gaps_before_it_is_judged_stops_its_lane() {
    let mut platform = Platform::new(1).await;
    platform.config.batch.max_age = HumanDuration::secs(20);
    let topic = platform.config.topics.booking.clone();
    let producer = transactional(&platform, "three");
    let member = Program::start(&platform.config);
    platform.owned_by(1).await;
    for _ in 0..2 {
        producer.begin_transaction().unwrap();
        let record = BaseRecord::to(&topic).key("key").payload("no event");
        producer.send(record).map_err(|(error, _)| error).unwrap();
        producer.commit_transaction(PATIENCE).unwrap();
    }
    // nothing tells that the member has read them; it waits for more of them
    sleep(Duration::from_secs(5)).await;
    delete_before_the_end(&platform, &topic).await;
    platform
        .lanes_are("stopped", |lanes| stands(lanes, &topic))
        .await;
    let told = "a range does not read alike twice";
    assert!(member.log().contains(told), "{}", member.log());
    platform.send_raw(&platform.config.topics.trip, b"key", b"no event");
    platform.flush();
    platform.drained(1).await;
    member.stop();
    assert_eq!(lane(&platform, &topic).await.next_offset, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_deleted_before_they_were_read_stop_their_lane() {
    let platform = Platform::new(1).await;
    let topic = platform.config.topics.booking.clone();
    let member = platform.start();
    platform.owned_by(1).await;
    member.stop().await;
    platform.send_raw(&topic, b"key", b"no event");
    platform.flush();
    delete_before_the_end(&platform, &topic).await;
    let member = platform.start();
    platform
        .lanes_are("stopped", |lanes| stands(lanes, &topic))
        .await;
    platform.send_raw(&topic, b"key", b"no event");
    platform.send_raw(&platform.config.topics.trip, b"key", b"no event");
    platform.flush();
    platform.drained(1).await;
    member.stop().await;
    let lanes = lanes::all(&platform.pool).await.unwrap();
    let stopped = lanes.iter().find(|lane| lane.topic == topic).unwrap();
    assert_eq!(stopped.next_offset, 0);
    assert!(
        stopped
            .stopped_reason
            .as_ref()
            .unwrap()
            .starts_with("lost:"),
        "{stopped:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_are_added_are_read_from_their_beginning() {
    let mut platform = Platform::new(1).await;
    let story = Story::new(86, 60);
    let mut portions = story.portions(2);
    let member = platform.start();
    platform.send(portions.next().unwrap());
    platform.owned_by(1).await;
    let topics = platform.topics();
    let more: Vec<_> = topics
        .iter()
        .map(|topic| NewPartitions::new(topic, 3))
        .collect();
    for outcome in admin(&platform)
        .create_partitions(&more, &options())
        .await
        .unwrap()
    {
        outcome.unwrap();
    }
    platform.config.kafka.partitions = 3;
    platform.renew_producer();
    platform.send(portions.next().unwrap());
    platform.drained(story.len()).await;
    platform.owned_by(1).await;
    let is_added = |lane: &Lane| lane.partition > 0 && lane.next_offset > 0;
    platform
        .lanes_are("read where they were added", |lanes| {
            lanes.iter().any(is_added)
        })
        .await;
    member.stop().await;
    // a duplicate of a record from before may be in another partition now, so only what is stored is looked at
    platform.assert_exact().await;
    platform.assert_balanced().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_made_anew_stops_its_lanes() {
    let platform = Platform::new(1).await;
    let topic = platform.config.topics.booking.clone();
    (0..5).for_each(|_| platform.send_raw(&topic, b"key", b"no event"));
    platform.flush();
    let member = platform.start();
    platform.drained(5).await;
    platform.owned_by(1).await;
    let client = admin(&platform);
    client.delete_topics(&[&topic], &options()).await.unwrap();
    let anew = NewTopic::new(&topic, 1, TopicReplication::Fixed(1));
    let is_made = async || {
        let made = client.create_topics([&anew], &options()).await.unwrap();
        made.into_iter().all(|outcome| outcome.is_ok())
    };
    assert!(until(is_made).await, "the topic cannot be made anew");
    platform
        .lanes_are("stopped", |lanes| stands(lanes, &topic))
        .await;
    let stood = lane(&platform, &topic).await;
    let trip = platform.config.topics.trip.clone();
    platform.send_raw(&trip, b"key", b"no event");
    platform.flush();
    platform.drained(6).await;
    // what arrived in the new log before this is not read, however far the others are
    let now = Some(Utc::now());
    let is_further = |lane: &Lane| lane.topic == trip && lane.complete_through > now;
    platform
        .lanes_are("complete further on", |lanes| lanes.iter().any(is_further))
        .await;
    member.stop().await;
    let stands = lane(&platform, &topic).await;
    assert_eq!(stands.next_offset, 5);
    assert_eq!(stands.complete_through, stood.complete_through);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_kafka_does_not_tell_of_a_topic_the_others_are_reported() {
    let platform = Platform::new(1).await;
    let topic = platform.config.topics.booking.clone();
    let member = platform.start();
    platform.owned_by(1).await;
    let client = admin(&platform);
    client.delete_topics(&[&topic], &options()).await.unwrap();
    let now = Some(Utc::now());
    let is_further = |lane: &Lane| lane.topic == topic || lane.complete_through > now;
    platform
        .lanes_are("complete further on", |lanes| lanes.iter().all(is_further))
        .await;
    member.stop().await;
    assert!(lane(&platform, &topic).await.complete_through <= now);
}

async fn lane(platform: &Platform, topic: &str) -> Lane {
    let lanes = lanes::all(&platform.pool).await.unwrap();
    lanes.into_iter().find(|lane| lane.topic == topic).unwrap()
}
