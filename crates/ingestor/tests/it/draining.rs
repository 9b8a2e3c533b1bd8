//! A member is asked to end in the middle of its work.

use crate::{member::Program, platform::Platform, story::Story};
use metadata_store::batches;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_member_asked_to_end_under_load_drains_within_half_a_minute() {
    let mut platform = Platform::new(2).await;
    // many small batches, so that there is work left when the signal comes
    platform.config.batch.max_rows = 100;
    let story = Story::new(121, 300);
    platform.send(story.records());
    let first = Program::start(&platform.config);
    platform.drained(100).await;
    let asked = Instant::now();
    first.stop();
    assert!(
        asked.elapsed() < Duration::from_secs(30),
        "took {:?}",
        asked.elapsed()
    );
    assert!(
        !platform.is_drained(story.len()).await,
        "it was not under load"
    );
    assert_eq!(batches::open(&platform.pool).await.unwrap(), []);
    platform
        .lanes_are("free", |lanes| {
            lanes.iter().all(|lane| lane.owner.is_none())
        })
        .await;
    let second = platform.start();
    platform.drained(story.len()).await;
    second.stop().await;
    story.assert_told(&platform).await;
}
