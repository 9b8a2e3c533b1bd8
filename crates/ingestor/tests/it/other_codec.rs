//! A batch that another version of the program has opened.

use crate::{
    member::Program,
    platform::{Platform, until},
    postgres::Database,
    proxy::{Fault, Proxy},
    story::Story,
};
use devstack::postgres_client;
use metadata_store::{LaneId, batches, lanes};
use shared_schema::Domain;
use simulator::Record;
use uuid::Uuid;

async fn set_codec(platform: &Platform, batch: Uuid, change: &str) {
    let url = platform.config.postgres.url.expose();
    let client = postgres_client(url).await;
    let statement = format!("UPDATE ingest_batch SET codec = codec {change} WHERE id = '{batch}'");
    assert_eq!(client.execute(&statement, &[]).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_another_codec_waits_for_a_member_that_has_it() {
    let platform = Platform::new(1).await;
    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    let story = Story::new(111, 60);
    let other_version = Program::start(&config);
    platform.owned_by(1).await;
    proxy.plan(".in_payment", 0, Fault::Hold(0));
    platform.send(story.records());
    proxy.struck().await;
    let batch = platform.opened().await;
    other_version.kill();
    set_codec(&platform, batch, "+ 1").await;

    let this_version = Program::start(&platform.config);
    let alarm = "a batch cannot be finished";
    let alarmed = until(async || {
        let log = this_version.log();
        log.contains(alarm) && log.contains("run a member of that version")
    })
    .await;
    assert!(alarmed, "no alarm: {}", this_version.log());
    assert_eq!(platform.opened().await, batch);
    let payments = "(SELECT count() FROM payment_events)";
    assert_eq!(
        platform.number(payments).await,
        0,
        "it was written with the wrong codec"
    );
    let attempts = "ingest_batch WHERE state = 'open' AND attempt > 1";
    assert_eq!(Database::of(&platform).await.count(attempts).await, 0);
    this_version.kill();

    // the member of that version comes back
    set_codec(&platform, batch, "- 1").await;
    let other_version = platform.start();
    platform.drained(story.len()).await;
    other_version.stop().await;
    story.assert_told(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_cannot_be_finished_holds_up_its_own_lanes_alone() {
    let platform = Platform::new(1).await;
    let story = Story::new(112, 60);
    let of = |domain: Domain| story.records().filter(move |record| record.topic == domain);
    let hold = Fault::Hold(0);
    let (payments, trips) = (of(Domain::Payment), of(Domain::Trip));
    let (other_version, payment_proxy) =
        Program::struck(&platform, ".in_payment", hold, payments).await;
    let batch = platform.opened().await;
    other_version.kill();
    set_codec(&platform, batch, "+ 1").await;
    // one that can be finished, and is younger
    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    proxy.plan(".in_trip", 0, hold);
    let dead = Program::start(&config);
    platform.send(trips);
    proxy.struck().await;
    dead.kill();
    assert_eq!(batches::open(&platform.pool).await.unwrap().len(), 2);

    let member = Program::start(&platform.config);
    let others = |record: &&Record| !matches!(record.topic, Domain::Payment | Domain::Trip);
    platform.send(story.records().filter(others));
    let unfinished = of(Domain::Payment).count() as u64;
    platform.drained(story.len() - unfinished).await;
    let open = batches::open(&platform.pool).await.unwrap();
    assert!(open.iter().any(|(id, ..)| *id == batch), "it was closed");
    let payment = LaneId {
        topic: platform.config.topics.payment.clone(),
        partition: 0,
    };
    let lane = lanes::find(&platform.pool, &payment).await.unwrap();
    let lane = lane.unwrap();
    assert_eq!(lane.next_offset, lane.first_offset, "it was read");
    // the lanes that were read meanwhile are not taken over again
    let again = "taking a lane over again";
    assert!(!member.log().contains(again), "{}", member.log());

    set_codec(&platform, batch, "- 1").await;
    platform.drained(story.len()).await;
    for proxy in [payment_proxy, proxy] {
        proxy.heal();
        proxy.over().await;
    }
    member.stop();
    story.assert_told(&platform).await;
}
