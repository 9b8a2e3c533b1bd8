use crate::{platform::Platform, story::Story};

#[tokio::test(flavor = "multi_thread")]
async fn every_record_gets_its_verdict_and_every_event_is_stored_once() {
    let platform = Platform::new(3).await;
    let story = Story::new(1, 300);
    platform.send(story.records());
    let member = platform.start();
    platform.drained(story.len()).await;
    member.stop().await;
    story.assert_told(&platform).await;
}
