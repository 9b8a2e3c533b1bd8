//! A batch that another version of the program has opened.

use crate::{
    member::Program,
    platform::{Platform, until},
    postgres::Database,
    proxy::{Fault, Proxy},
    story::Story,
};
use devstack::postgres_client;
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
