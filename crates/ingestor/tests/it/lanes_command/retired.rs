//! Topics that are gone for good.

use super::{assert_ledger_adds_up, done, lane, lost_offsets, portions, refused, say, stopped};
use crate::{
    admin_port::{is_ready, with_admin_port},
    kafka_admin::{admin, options},
    member::Program,
    platform::{Platform, until},
    postgres::Database,
    settling::settled,
    story::Story,
};
use metadata_store::lanes::Lane;
use rdkafka::admin::{NewTopic, TopicReplication};

pub(crate) async fn delete(platform: &Platform, topic: &str) {
    let deleted = admin(platform).delete_topics(&[topic], &options()).await;
    deleted.unwrap().remove(0).unwrap();
    let is_gone = async || {
        let client = admin(platform);
        let metadata = client
            .inner()
            .fetch_metadata(None, std::time::Duration::from_secs(10));
        metadata.is_ok_and(|all| all.topics().iter().all(|told| told.name() != topic))
    };
    assert!(until(is_gone).await, "Kafka keeps the topic");
}

pub(super) async fn make_anew(platform: &Platform, topic: &str) {
    let anew = NewTopic::new(topic, 1, TopicReplication::Fixed(1));
    let client = admin(platform);
    let is_made = async || {
        let made = client.create_topics([&anew], &options()).await.unwrap();
        made.into_iter().all(|outcome| outcome.is_ok())
    };
    assert!(until(is_made).await, "the topic cannot be made anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_waits_for_a_topic_that_is_retired() {
    let mut platform = Platform::new(1).await;
    let address = with_admin_port(&mut platform.config);
    let topic = platform.config.topics.booking.clone();
    let member = Program::start(&platform.config);
    platform.owned_by(1).await;
    refused(&platform, &["retire", "no.such.topic"], "not known").await;
    refused(&platform, &["retire", &topic], "Kafka has it").await;
    delete(&platform, &topic).await;
    // payments and trips whose bookings will never come wait for them
    let story = Story::new(151, 60);
    let others = || {
        let records = story.records();
        records.filter(|record| platform.config.topics.topic_of(record.topic) != topic)
    };
    platform.send(others());
    platform.drained(others().count() as u64).await;
    let waiting = "(SELECT count() FROM waiting_payment)";
    let wait = until(async || platform.number(waiting).await > 0).await;
    assert!(wait, "the story has no such payment");

    refused(&platform, &["retire", &topic], "add --yes").await;
    assert!(!lane(&platform, &topic).await.is_retired());
    let said = done(&platform, &["retire", &topic, "--yes"]).await;
    assert!(said.contains("is retired at 0"), "{said}");
    settled(&platform).await;
    assert!(until(async || is_ready(&address).await).await);
    member.stop();
    let retired = lane(&platform, &topic).await;
    assert!(retired.is_retired(), "{retired:?}");
    let list = done(&platform, &["list"]).await;
    assert!(list.contains("retired: nothing waits for it"), "{list}");
    platform.assert_exact().await;
    platform.assert_balanced().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retired_topic_that_appears_again_is_not_read_before_it_is_resumed() {
    let mut platform = Platform::new(1).await;
    let address = with_admin_port(&mut platform.config);
    let topic = platform.config.topics.booking.clone();
    let id = format!("{topic}/0");
    let member = Program::start(&platform.config);
    platform.owned_by(1).await;
    delete(&platform, &topic).await;
    done(&platform, &["retire", &id, "--yes"]).await;
    make_anew(&platform, &topic).await;
    platform.renew_producer();
    platform.send_raw(&topic, b"key", b"no event");
    platform.flush();
    let told = "a lane that was retired";
    assert!(
        until(async || member.log().contains(told)).await,
        "{}",
        member.log()
    );
    assert_eq!(lane(&platform, &topic).await.next_offset, 0);
    assert!(is_ready(&address).await);
    done(&platform, &["resume", &id]).await;
    platform.drained(1).await;
    member.stop();
    assert!(!lane(&platform, &topic).await.is_retired());
    platform.assert_balanced().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_read_of_a_retired_topic_is_lost_and_the_ledger_shows_it() {
    let platform = Platform::new(1).await;
    let topic = platform.config.topics.booking.clone();
    let story = Story::new(152, 40);
    let (before, after) = portions(&story);
    let member = Program::start(&platform.config);
    platform.send(&before);
    platform.drained(before.len() as u64).await;
    member.stop();
    platform.send(&after);
    let unread = super::of_topic(&platform, &after, &topic);
    refused(&platform, &["retire", &topic], "Kafka has it").await;
    let (well, said) = say(&platform, &["retire", &topic, "--force"]).await;
    let plan = format!("lost: {unread} (");
    assert!(
        !well && said.contains(&plan) && said.contains("add --yes"),
        "{said}"
    );
    assert_eq!(lost_offsets(&platform).await, 0);
    done(&platform, &["retire", &topic, "--force", "--yes"]).await;

    let member = Program::start(&platform.config);
    platform.drained(story.len()).await;
    let is_known = |lanes: &[Lane]| lanes.iter().all(|lane| lane.owner.is_some());
    platform.lanes_are("owned", is_known).await;
    member.stop();
    assert_eq!(
        lost_offsets(&platform).await,
        u64::try_from(unread).unwrap()
    );
    platform.assert_exact().await;
    platform.assert_balanced().await;
    assert_ledger_adds_up(&platform).await;
    let said = done(&platform, &["retire", &topic]).await;
    assert!(said.contains("is retired already"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_records_of_a_topic_that_was_made_anew_come_by_another_name() {
    let mut platform = Platform::new(1).await;
    let topic = platform.config.topics.booking.clone();
    let story = Story::new(153, 40);
    let (before, after) = portions(&story);
    let read = super::of_topic(&platform, &before, &topic);
    let member = Program::start(&platform.config);
    platform.send(&before);
    platform.drained(before.len() as u64).await;
    delete(&platform, &topic).await;
    make_anew(&platform, &topic).await;
    stopped(&platform, &topic).await;
    member.stop();
    let list = done(&platform, &["list"]).await;
    assert!(list.contains("retire this one with"), "{list}");

    done(&platform, &["retire", &topic, "--force", "--yes"]).await;
    platform.config.topics.booking = topic.replace(".booking", ".anew.booking");
    ingestor::topics::create(&platform.config).await.unwrap();
    platform.renew_producer();
    let member = Program::start(&platform.config);
    platform.send(&after);
    platform.drained(story.len()).await;
    settled(&platform).await;
    member.stop();
    let retired = lane(&platform, &topic).await;
    assert!(retired.is_retired(), "{retired:?}");
    assert_eq!(retired.next_offset, read);
    platform.assert_exact().await;
    platform.assert_balanced().await;
    assert_ledger_adds_up(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_postgres_forgot_of_a_deleted_topic_is_put_back_before_it_is_retired() {
    let platform = Platform::new(1).await;
    let mut database = Database::of(&platform).await;
    let topic = platform.config.topics.booking.clone();
    let story = Story::new(154, 40);
    let (before, after) = portions(&story);
    let written =
        super::of_topic(&platform, &before, &topic) + super::of_topic(&platform, &after, &topic);
    let member = Program::start(&platform.config);
    platform.send(&before);
    platform.drained(before.len() as u64).await;
    database.remember().await;
    platform.send(&after);
    platform.drained(story.len()).await;
    member.stop();
    database.go_back().await;
    delete(&platform, &topic).await;
    // more batches than are put back at once, behind one whose records are gone
    let (more, nth) = (110, "arrayJoin(range(110))");
    let offset = format!("toUInt64({written} + {nth})");
    platform
        .execute(&format!(
            "INSERT INTO ingest_ledger SELECT * REPLACE (generateUUIDv4({nth}) AS batch, \
                 {offset} AS first_offset, {offset} AS last_offset, \
                 0 AS accepted, 0 AS duplicate, 0 AS dead_lettered, 1 AS gap_offsets, 0 AS hash, \
                 decided_at + toIntervalMillisecond({nth}) AS decided_at, \
                 concat('{{\"gaps\":[{{\"lo\":', toString({offset}), ',\"hi\":', toString({offset}), ',\"cause\":\"control\"}}]}}') \
                     AS verdicts) \
             FROM (SELECT * FROM ingest_ledger WHERE kafka_topic = '{topic}' AND last_offset = {written} - 1)"
        ))
        .await;
    let end = written + more;

    let forgetful = lane(&platform, &topic).await;
    refused(&platform, &["retire", &topic], "has gone back").await;
    refused(&platform, &["retire", &topic, "--yes"], "say with --force").await;
    assert_eq!(lane(&platform, &topic).await, forgetful, "it was touched");
    let said = done(&platform, &["retire", &topic, "--force", "--yes"]).await;
    assert!(said.contains(&format!("is retired at {end}")), "{said}");
    let member = Program::start(&platform.config);
    platform.drained(story.len()).await;
    settled(&platform).await;
    member.stop();
    assert_eq!(lost_offsets(&platform).await, 0);
    platform.assert_exact().await;
    platform.assert_balanced().await;
}
