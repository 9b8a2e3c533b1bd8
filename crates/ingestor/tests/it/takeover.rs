//! Members that die, sleep, come and go.

use crate::{
    member::{self, Program},
    platform::{Platform, until},
    postgres::Database,
    proxy::{Fault, Proxy},
    story::Story,
};

/// A member is killed while the request that contains `words` suffers the fault; another one takes over, and then
/// the dead one's request goes on.
async fn killed_at(words: &str, fault: Fault, seed: u64) {
    let platform = Platform::new(2).await;
    let story = Story::new(seed, 100);
    let (first, proxy) = Program::struck(&platform, words, fault, story.records()).await;
    platform.opened().await;
    first.kill();

    let second = platform.start();
    platform.drained(story.len()).await;
    story.assert_told(&platform).await;
    proxy.heal();
    proxy.over().await;
    second.stop().await;
    story.assert_told(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_killed_after_its_intent_is_replaced() {
    killed_at("query=INSERT+INTO", Fault::Hold(0), 11).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_killed_with_some_tables_written_is_replaced() {
    killed_at(".in_payment", Fault::Hold(0), 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_killed_in_the_middle_of_an_insert_is_replaced() {
    killed_at(".in_booking", Fault::Hold(9_000), 13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_killed_before_it_closed_its_batch_is_replaced() {
    killed_at(".in_trip", Fault::HoldReply, 14).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lanes_of_an_open_batch_go_to_two_new_owners() {
    let platform = Platform::new(3).await;
    let story = Story::new(21, 150);
    let hold = Fault::Hold(0);
    let (first, proxy) = Program::struck(&platform, ".in_booking", hold, story.records()).await;
    let batch = platform.opened().await;
    first.kill();
    let (recoverers, config) = Proxy::before_clickhouse(&platform).await;
    recoverers.plan(".events_raw", 0, hold);
    let others = [member::start(&config), member::start(&config)];
    recoverers.struck().await;
    let new_owners = format!(
        "(SELECT DISTINCT l.owner FROM ingest_batch b JOIN ingest_range r ON r.batch_id = b.id \
            JOIN ingest_lane l USING (topic, partition) \
            WHERE b.id = '{batch}' AND b.state = 'open' AND l.owner <> b.owner) AS owners"
    );
    let mut database = Database::of(&platform).await;
    let two_own_it = async || database.count(&new_owners).await == 2;
    assert!(until(two_own_it).await, "closed before two had its lanes");
    recoverers.heal();
    platform.drained(story.len()).await;
    platform.owned_by(2).await;
    proxy.heal();
    proxy.over().await;
    for member in others {
        member.stop().await;
    }
    story.assert_told(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_join_leave_and_die_under_load() {
    let platform = Platform::new(3).await;
    let story = Story::new(31, 400);
    let mut portions = story.portions(6);
    let mut send = || platform.send(portions.next().unwrap());
    let first = Program::start(&platform.config);
    send();
    platform.owned_by(1).await;
    let second = platform.start();
    send();
    platform.owned_by(2).await;
    let third = Program::start(&platform.config);
    send();
    platform.owned_by(3).await;
    first.kill();
    send();
    platform.owned_by(2).await;
    second.stop().await;
    send();
    platform.owned_by(1).await;
    let fourth = member::start(&platform.config);
    send();
    platform.drained(story.len()).await;
    third.stop();
    fourth.stop().await;
    story.assert_told(&platform).await;
}
