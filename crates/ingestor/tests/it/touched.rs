//! What a batch says that it touches is what it stores: answers that are kept go by it.

use crate::{platform::Platform, story::Story};
use metadata_store::batches;
use shared_schema::Domain;
use std::{collections::BTreeSet, time::Duration};

#[tokio::test(flavor = "multi_thread")]
async fn batches_touch_the_hours_of_their_events_and_no_others() {
    let platform = Platform::new(2).await;
    let story = Story::new(111, 40);
    let member = platform.start();
    platform.send(story.records());
    platform.drained(story.len()).await;
    member.stop().await;

    let lately = batches::touched(&platform.pool, Duration::from_secs(3600))
        .await
        .unwrap();
    let mut touched = BTreeSet::new();
    for (_, batch) in lately.batches {
        let batch = batch.unwrap_or_else(|| panic!("nothing is known of a batch"));
        for (domain, hours) in batch.stretches() {
            touched.extend(hours.map(|hour| (domain, hour)));
        }
    }
    let mut stored = BTreeSet::new();
    for domain in Domain::ALL {
        let sql = format!(
            "SELECT DISTINCT toInt64(intDiv(toUnixTimestamp(event_timestamp), 3600)) FROM {}",
            domain.events_table()
        );
        let hours: Vec<i64> = platform.store.query(&sql).fetch_all().await.unwrap();
        stored.extend(hours.into_iter().map(|hour| (domain, hour)));
    }
    assert!(stored.len() > 100, "the story tells too little");
    assert_eq!(touched, stored);
}
