//! Topics that are deleted while a batch of theirs is open.

use super::{
    assert_ledger_adds_up, done, lane, lost_offsets, of_topic, refused, retired::delete, say,
    stopped,
};
use crate::{
    member::Program,
    own,
    platform::Platform,
    proxy::{Fault, Proxy},
    story::Story,
};
use devstack::Server;
use metadata_store::batches;
use service_runtime::config::HumanDuration;
use simulator::Record;

const INSERT: &str = "query=INSERT+INTO";

/// Whether the only open batch has all offsets of the topic.
async fn is_held_whole(platform: &Platform, topic: &str, offsets: i64) -> bool {
    let stored = batches::load(&platform.pool, platform.opened().await).await;
    let mut ranges = stored.unwrap().batch.ranges.into_iter();
    ranges.any(|range| range.lane.topic == topic && range.lo == 0 && range.hi == offsets - 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_deleted_in_the_middle_of_an_open_batch_stops_its_lane_and_no_other() {
    let (mut platform, stack) = own::platform(Server::ClickHouse, 1).await;
    // all records are in one batch
    platform.config.batch.max_age = HumanDuration::secs(3);
    let topic = platform.config.topics.booking.clone();
    let story = Story::new(161, 60);
    let records: Vec<Record> = story.records().cloned().collect();
    let bookings = of_topic(&platform, &records, &topic);
    let (first, _proxy) = Program::struck(&platform, INSERT, Fault::Hold(0), &records).await;
    assert!(is_held_whole(&platform, &topic, bookings).await);
    stack.kill(Server::ClickHouse).unwrap();
    first.kill();
    delete(&platform, &topic).await;
    stack.restart(Server::ClickHouse).unwrap();

    let second = Program::start(&platform.config);
    stopped(&platform, &topic).await;
    let stands = lane(&platform, &topic).await;
    let reason = stands.stopped_reason.unwrap();
    assert!(
        reason.contains("does not have the partition")
            && reason.ends_with("`ingestor lanes retire`"),
        "{reason}"
    );
    assert_eq!(stands.next_offset, 0);
    let lost = u64::try_from(bookings).unwrap();
    platform.drained(story.len() - lost).await;
    platform.assert_exact().await;
    platform.assert_balanced().await;

    refused(&platform, &["retire", &topic], "were not read").await;
    let said = done(&platform, &["retire", &topic, "--force", "--yes"]).await;
    let is_told = format!("is retired at {bookings}");
    assert!(said.contains(&is_told), "{said}");
    second.stop();
    assert!(lane(&platform, &topic).await.is_retired());
    assert_eq!(lost_offsets(&platform).await, lost);
    platform.assert_exact().await;
    platform.assert_balanced().await;
    assert_ledger_adds_up(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_deleted_topics_alone_is_finished_by_whoever_retires_them() {
    let mut platform = Platform::new(1).await;
    platform.config.batch.max_age = HumanDuration::secs(3);
    let topic = platform.config.topics.booking.clone();
    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    let member = Program::start(&config);
    platform.owned_by(1).await;
    proxy.plan(INSERT, 0, Fault::Hold(0));
    (0..3).for_each(|_| platform.send_raw(&topic, b"key", b"no event"));
    platform.flush();
    proxy.struck().await;
    assert!(is_held_whole(&platform, &topic, 3).await);
    member.kill();
    delete(&platform, &topic).await;

    refused(&platform, &["retire", &topic], "say with --force").await;
    let open = batches::open(&platform.pool).await.unwrap();
    let force = ["retire", &topic, "--force"];
    let (well, said) = say(&platform, &force).await;
    assert!(
        !well && said.contains("is finished first") && said.contains("add --yes"),
        "{said}"
    );
    assert_eq!(batches::open(&platform.pool).await.unwrap(), open);
    assert!(!lane(&platform, &topic).await.is_retired());
    let said = done(&platform, &["retire", &topic, "--force", "--yes"]).await;
    assert!(said.contains("is retired at 3"), "{said}");
    assert!(batches::open(&platform.pool).await.unwrap().is_empty());
    assert_eq!(lost_offsets(&platform).await, 3);
    platform.assert_balanced().await;
    assert_ledger_adds_up(&platform).await;
}
