//! Ranges of a batch that no longer read as they were stored.

use super::{
    assert_ledger_adds_up, declare_lost, lost_offsets, of_topic, portions, refused, stopped,
};
use crate::{
    log_faults::delete_before_the_end,
    member::Program,
    platform::{Platform, until},
    proxy::Fault,
    story::Story,
};
use simulator::Record;

/// A member dies while the request with these words is on its way, the log of a topic is deleted, and a second member
/// stops its lane. Answers the second one, and how many records of the topic there were.
async fn parked_at(
    platform: &Platform,
    words: &str,
    records: &[Record],
    topic: &str,
) -> (Program, i64) {
    let (first, _proxy) = Program::struck(platform, words, Fault::Hold(0), records).await;
    first.kill();
    delete_before_the_end(platform, topic).await;
    let second = Program::start(&platform.config);
    stopped(platform, topic).await;
    (second, of_topic(platform, records, topic))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_range_of_which_nothing_was_written_is_declared_lost() {
    let platform = Platform::new(1).await;
    let story = Story::new(131, 60);
    let (before, after) = portions(&story);
    let topic = platform.config.topics.location.clone();
    let (member, lost) = parked_at(&platform, "query=INSERT+INTO", &before, &topic).await;
    let said = declare_lost(&platform, &topic, lost - 1).await;
    assert!(!said.contains("NOT EXACT"), "{said}");
    platform.send(&after);
    platform.drained(story.len()).await;
    member.stop();
    assert_eq!(lost_offsets(&platform).await, u64::try_from(lost).unwrap());
    platform.assert_exact().await;
    platform.assert_balanced().await;
    assert_ledger_adds_up(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_parked_range_whose_verdicts_were_written_only_the_rest_is_lost() {
    let platform = Platform::new(1).await;
    let story = Story::new(132, 150);
    let (before, after) = portions(&story);
    let topic = platform.config.topics.booking.clone();
    let (member, records) = parked_at(&platform, ".in_booking", &before, &topic).await;
    let params = format!("kafka_topic = '{topic}'");
    let stored = format!(
        "(SELECT count() FROM duplicates WHERE {params}) + (SELECT count() FROM dead_letters WHERE {params})"
    );
    let stored = platform.number(&format!("({stored})")).await;
    assert!(stored > 0, "the story has no such verdict");
    let id = format!("{topic}/0");
    let one_less = (records - 2).to_string();
    refused(
        &platform,
        &["declare-lost", &id, "--through", &one_less, "--yes"],
        "declared whole",
    )
    .await;

    let said = declare_lost(&platform, &topic, records - 1).await;
    assert!(said.contains("NOT EXACT"), "{said}");
    platform.send(&after);
    platform.drained(story.len()).await;
    member.stop();
    assert_eq!(
        lost_offsets(&platform).await,
        u64::try_from(records).unwrap() - stored
    );
    platform.assert_exact().await;
    platform.assert_balanced().await;
    assert_ledger_adds_up(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_range_that_is_stored_whole_is_not_lost() {
    let platform = Platform::new(1).await;
    let story = Story::new(133, 60);
    let (before, after) = portions(&story);
    let topic = platform.config.topics.user.clone();
    let hold = Fault::Hold(0);
    let (first, _proxy) = Program::struck(&platform, ".in_location", hold, &before).await;
    let is_written = async || platform.number("(SELECT count() FROM user_events)").await > 0;
    assert!(until(is_written).await);
    first.kill();
    delete_before_the_end(&platform, &topic).await;
    let member = Program::start(&platform.config);
    stopped(&platform, &topic).await;

    let through = of_topic(&platform, &before, &topic) - 1;
    let said = declare_lost(&platform, &topic, through).await;
    assert!(
        said.contains("lost: none") && said.contains("user_events"),
        "{said}"
    );
    assert!(!said.contains("NOT EXACT"), "{said}");
    platform.send(&after);
    platform.drained(story.len()).await;
    member.stop();
    assert_eq!(lost_offsets(&platform).await, 0);
    story.assert_told(&platform).await;
    assert_ledger_adds_up(&platform).await;
}
