//! What happens on the way to ClickHouse.

use crate::{
    member,
    platform::Platform,
    proxy::{Fault, Proxy},
    story::Story,
};
use service_runtime::config::HumanDuration;

/// A member whose request with these words suffers the fault, and after it the rest of the story.
async fn suffered(words: &str, after: usize, fault: Fault, seed: u64) {
    let platform = Platform::new(2).await;
    let (proxy, mut config) = Proxy::before_clickhouse(&platform).await;
    config.clickhouse.insert_timeout = HumanDuration::secs(6);
    let story = Story::new(seed, 120);
    let member = member::start(&config);
    platform.owned_by(1).await;
    proxy.plan(words, after, fault);
    for portion in story.portions(3) {
        platform.send(portion);
    }
    proxy.struck().await;
    platform.drained(story.len()).await;
    story.assert_told(&platform).await;
    if matches!(fault, Fault::Hold(_) | Fault::HoldReply) {
        // what was given up arrives after all
        proxy.heal();
        proxy.over().await;
    }
    member.stop().await;
    story.assert_told(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_to_an_insert_doubles_nothing() {
    suffered(".in_booking", 0, Fault::LoseReply, 61).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_to_the_ledger_doubles_nothing() {
    suffered(".ingest_ledger", 0, Fault::LoseReply, 62).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_does_not_come_in_time_doubles_nothing() {
    suffered(".in_payment", 0, Fault::HoldReply, 63).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_torn_in_the_middle_loses_nothing() {
    suffered(".in_location", 0, Fault::Tear(12_000), 64).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stalls_in_the_middle_is_given_up() {
    suffered(".in_booking", 0, Fault::Hold(12_000), 65).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_arrives_after_it_was_given_up_is_refused() {
    suffered(".in_trip", 0, Fault::Hold(0), 66).await;
}
