//! A member has more to read than a batch takes.

use crate::{platform::Platform, story::Story};
use service_runtime::config::HumanDuration;

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_takes_one_topic_while_its_member_is_behind() {
    let mut platform = Platform::new(2).await;
    platform.config.batch.max_rows = 500;
    platform.config.batch.enough_rows = 500;
    // only what is left at the end waits for so long
    platform.config.batch.max_age = HumanDuration::secs(10);
    platform.config.batch.min_age = HumanDuration::secs(10);
    let story = Story::new(17, 1_500);
    platform.send(story.records());
    let member = platform.start();
    platform.drained(story.len()).await;
    member.stop().await;
    story.assert_told(&platform).await;

    let of_topics = async |topics: &str| {
        let sql = format!(
            "(SELECT count() FROM (SELECT batch FROM ingest_ledger GROUP BY batch \
                HAVING uniqExact(kafka_topic) {topics}))"
        );
        platform.number(&sql).await
    };
    let (one, several) = (of_topics("= 1").await, of_topics("> 1").await);
    assert!(
        one >= 15 && several <= 3,
        "{one} batches of one topic, {several} of several, for {} records",
        story.len()
    );
}
