//! PostgreSQL dies, and loses its answers.

use crate::{
    member::{self, Program},
    own,
    platform::{Platform, until},
    postgres::Database,
    proxy::{Fault, Proxy},
    story::Story,
};
use devstack::Server;
use ingestor::recover::Recovery;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use service_runtime::config::HumanDuration;
use std::{sync::Arc, time::Duration};

#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed_at_any_moment_under_load_loses_and_doubles_nothing() {
    let (platform, stack) = own::platform(Server::Postgres, 2).await;
    let story = Story::new(91, 300);
    let mut chance = StdRng::seed_from_u64(91);
    let member = platform.start();
    platform.owned_by(1).await;
    for portion in story.portions(4) {
        platform.send(portion);
        // the moment is random; there is nothing to wait for
        tokio::time::sleep(Duration::from_millis(chance.random_range(0..500))).await;
        stack.kill(Server::Postgres).unwrap();
        stack.restart(Server::Postgres).unwrap();
    }
    platform.drained(story.len()).await;
    member.stop().await;
    story.assert_told(&platform).await;
}

/// The answer to the `after`-th transaction about batches is lost, when there are these rows.
async fn lost_answer(after: usize, committed: &str, seed: u64) {
    let mut platform = Platform::new(2).await;
    // settlings have transactions too
    platform.config.settle.interval = HumanDuration::secs(3600);
    platform.config.batch.max_rows = 300;
    let (proxy, config) = Proxy::before_postgres(&platform).await;
    let mut database = Database::of(&platform).await;
    let story = Story::new(seed, 120);
    let member = member::start(&config);
    platform.owned_by(1).await;
    // the first look whether there is something to settle is a transaction, too
    let looked = async || database.count("settle_horizon WHERE bucket > 0").await > 0;
    assert!(until(looked).await, "nobody wants to settle");
    proxy.plan("COMMIT", after, Fault::LoseReply);
    for portion in story.portions(3) {
        platform.send(portion);
    }
    proxy.struck().await;
    let rows = database.count(committed).await;
    assert!(rows > 0, "another answer was lost");
    platform.drained(story.len()).await;
    member.stop().await;
    story.assert_told(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_the_opening_of_a_batch_opens_it_once() {
    lost_answer(0, "ingest_batch", 92).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_the_closing_and_opening_of_batches_does_both_once() {
    let closed_and_opened = "ingest_batch a, ingest_batch b WHERE a.state = 'done' AND a.id < b.id";
    lost_answer(1, closed_and_opened, 93).await;
}

pub fn recovery(platform: &Platform) -> Recovery {
    Recovery::connect(&platform.config, &Arc::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn recoverers_of_one_batch_exclude_each_other() {
    let platform = Platform::new(3).await;
    let story = Story::new(94, 150);
    let hold = Fault::Hold(0);
    let (member, _proxy) = Program::struck(&platform, ".in_payment", hold, story.records()).await;
    let batch = platform.opened().await;
    member.kill();
    let recoverers = [(); 3].map(|()| {
        let recovery = recovery(&platform);
        tokio::spawn(async move { recovery.finish(batch, None).await })
    });
    for recoverer in recoverers {
        recoverer.await.unwrap().unwrap();
    }
    platform.assert_exact().await;
    platform.assert_balanced().await;
    let member = platform.start();
    platform.drained(story.len()).await;
    member.stop().await;
    story.assert_told(&platform).await;
}
