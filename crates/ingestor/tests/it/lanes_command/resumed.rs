//! Lanes of which nothing is lost.

use super::{done, lane, of_topic, portions, refused};
use crate::{
    member::Program,
    platform::{Platform, until},
    postgres::Database,
    proxy::Fault,
    story::Story,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_lane_is_resumed_under_a_running_member() {
    let platform = Platform::new(1).await;
    let story = Story::new(134, 40);
    let (before, after) = portions(&story);
    let topic = platform.config.topics.booking.clone();
    let id = format!("{topic}/0");
    let member = Program::start(&platform.config);
    platform.send(&before);
    platform.drained(before.len() as u64).await;
    refused(&platform, &["resume", &id], "does not stand still").await;
    refused(
        &platform,
        &["declare-lost", &id, "--through", "9", "--yes"],
        "does not stand still",
    )
    .await;
    refused(&platform, &["resume", "no.such.topic/0"], "not known").await;
    let mut database = Database::of(&platform).await;
    database
        .execute(&format!(
            "UPDATE ingest_lane SET stopped_reason = 'by hand' WHERE topic = '{topic}'"
        ))
        .await;
    let noticed = async || member.log().contains("taking a lane over again");
    assert!(until(noticed).await);
    // what can be read is not lost
    refused(
        &platform,
        &["declare-lost", &id, "--through", "9999", "--yes"],
        "nothing is known to be lost",
    )
    .await;
    assert_eq!(
        lane(&platform, &topic).await.stopped_reason.unwrap(),
        "by hand"
    );

    let said = done(&platform, &["resume", &id]).await;
    assert!(said.contains("by hand"), "{said}");
    platform.send(&after);
    platform.drained(story.len()).await;
    member.stop();
    story.assert_told(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_holds_the_lane_is_finished_before_anything_is_declared() {
    let platform = Platform::new(1).await;
    let story = Story::new(135, 40);
    let topic = platform.config.topics.booking.clone();
    let hold = Fault::Hold(0);
    let (member, _proxy) = Program::struck(&platform, ".in_booking", hold, story.records()).await;
    platform.opened().await;
    member.kill();
    let mut database = Database::of(&platform).await;
    database
        .execute(&format!(
            "UPDATE ingest_lane SET stopped_reason = 'by hand' WHERE topic = '{topic}'"
        ))
        .await;
    let id = format!("{topic}/0");
    // a range that begins within the batch is all there
    let records: Vec<_> = story.records().cloned().collect();
    let through = (of_topic(&platform, &records, &topic) - 1).to_string();
    refused(
        &platform,
        &["declare-lost", &id, "--through", &through, "--yes"],
        "nothing is known to be lost",
    )
    .await;
    assert_eq!(lane(&platform, &topic).await.owner, None);
    let member = Program::start(&platform.config);
    done(&platform, &["resume", &id]).await;
    platform.drained(story.len()).await;
    member.stop();
    story.assert_told(&platform).await;
}
