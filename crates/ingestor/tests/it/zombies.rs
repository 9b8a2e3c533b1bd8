//! Members that sleep while others take over, and then go on as if nothing had happened.

use crate::{
    member::Program,
    own,
    platform::{Platform, until},
    postgres::Database,
    proxy::{Fault, Proxy},
    story::Story,
};
use devstack::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_zombie_that_wakes_after_the_recovery_changes_nothing() {
    let platform = Platform::new(2).await;
    let story = Story::new(41, 100);
    let mut portions = story.portions(2);
    let (hold, first) = (Fault::Hold(0), portions.next().unwrap());
    let (zombie, proxy) = Program::struck(&platform, ".in_booking", hold, first).await;
    zombie.halt();

    let second = platform.start();
    platform.drained(story.len().div_ceil(2)).await;
    proxy.heal();
    zombie.go_on();
    proxy.over().await;
    platform.send(portions.next().unwrap());
    platform.owned_by(2).await;
    platform.drained(story.len()).await;
    second.stop().await;
    zombie.stop();
    story.assert_told(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zombie_that_wakes_during_the_recovery_changes_nothing() {
    let platform = Platform::new(2).await;
    let (recoverers, config) = Proxy::before_clickhouse(&platform).await;
    let story = Story::new(42, 100);
    let hold = Fault::Hold(0);
    let (zombie, sleepers) = Program::struck(&platform, ".in_booking", hold, story.records()).await;
    zombie.halt();

    let second = Program::start(&config);
    recoverers.plan(".events_raw", 0, Fault::Hold(0));
    recoverers.struck().await;
    sleepers.heal();
    zombie.go_on();
    sleepers.over().await;
    recoverers.heal();
    platform.drained(story.len()).await;
    second.stop();
    zombie.stop();
    story.assert_told(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zombie_that_wakes_before_the_recovery_leaves_it_nothing_to_write() {
    let mut platform = Platform::new(2).await;
    let (announcements, second) = Proxy::before_postgres(&platform).await;
    let (closings, first) = Proxy::before_postgres(&platform).await;
    let story = Story::new(46, 100);
    let hold = Fault::Hold(0);
    closings.plan(r#"UPDATE "ingest_batch" SET "state""#, 0, hold);
    let direct = std::mem::replace(&mut platform.config, first);
    let (zombie, inserts) = Program::struck(&platform, ".in_booking", hold, story.records()).await;
    platform.config = direct;
    zombie.halt();

    announcements.plan(r#"UPDATE "ingest_batch" SET "attempt""#, 0, hold);
    let second = Program::start(&second);
    announcements.struck().await;
    let bookings = "(SELECT count() FROM booking_events)";
    assert_eq!(platform.number(bookings).await, 0, "it was not asleep");
    zombie.go_on();
    inserts.heal();
    // it has written everything
    closings.struck().await;
    assert_ne!(platform.number(bookings).await, 0);
    let mut database = Database::of(&platform).await;
    assert_eq!(database.repaired_batches().await, 0);

    announcements.heal();
    let is_recovered = "ingest_batch WHERE attempt > 1 AND state = 'done'";
    let recovered = until(async || database.count(is_recovered).await == 1).await;
    assert!(recovered, "{}", second.log());
    closings.heal();
    closings.over().await;
    platform.drained(story.len()).await;
    second.stop();
    zombie.stop();
    story.assert_told(&platform).await;
}

/// A member sleeps while the request that contains `words` is on its way, and ClickHouse is restarted before it arrives.
async fn asleep_over_a_restart(words: &str, seed: u64) {
    let (platform, stack) = own::platform(Server::ClickHouse, 2).await;
    let story = Story::new(seed, 100);
    let mut portions = story.portions(2);
    let (hold, first) = (Fault::Hold(0), portions.next().unwrap());
    let (zombie, proxy) = Program::struck(&platform, words, hold, first).await;
    zombie.halt();

    let second = platform.start();
    platform.drained(story.len().div_ceil(2)).await;
    stack.kill(Server::ClickHouse).unwrap();
    stack.restart(Server::ClickHouse).unwrap();
    zombie.go_on();
    proxy.heal();
    proxy.over().await;
    platform.send(portions.next().unwrap());
    platform.owned_by(2).await;
    platform.drained(story.len()).await;
    second.stop().await;
    zombie.stop();
    story.assert_told(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_that_arrives_after_a_restart_of_clickhouse_is_refused() {
    asleep_over_a_restart(".in_booking", 43).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_learns_of_the_new_life_of_clickhouse_too_late_writes_nothing() {
    asleep_over_a_restart("ingest_fence", 44).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_sleeps_over_a_take_over_does_not_take_its_successors_rows_for_forgotten_ones()
 {
    let platform = Platform::new(2).await;
    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    proxy.plan("ledger+beyond", 0, Fault::Hold(0));
    let sleeper = Program::start(&config);
    proxy.struck().await;
    sleeper.halt();

    let story = Story::new(45, 60);
    let second = platform.start();
    platform.send(story.records());
    platform.drained(story.len()).await;
    proxy.heal();
    sleeper.go_on();
    proxy.over().await;
    platform.owned_by(2).await;
    assert!(
        !sleeper.log().contains("has gone back"),
        "{}",
        sleeper.log()
    );
    second.stop().await;
    sleeper.stop();
    story.assert_told(&platform).await;
}
