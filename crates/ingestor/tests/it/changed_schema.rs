//! A schema that was changed by hand: ClickHouse would take the inserts without a word and lose what they carry.

use crate::{
    member::Program,
    platform::{Platform, until},
    story::Story,
};

/// Changes the schema under a running member, which must write nothing and say what is missing until it is back.
async fn nothing_is_lost(breaking: &str, missing: &str, mending: &str, seed: u64) {
    let platform = Platform::new(1).await;
    let story = Story::new(seed, 80);
    let mut portions = story.portions(2);
    let member = Program::start(&platform.config);
    platform.send(portions.next().unwrap());
    platform.drained(story.len().div_ceil(2)).await;
    platform.execute(breaking).await;
    platform.send(portions.next().unwrap());
    let alarmed = until(async || {
        let log = member.log();
        log.contains("it is tried again until it can") && log.contains(missing)
    })
    .await;
    assert!(alarmed, "no {missing}: {}", member.log());
    assert!(!platform.is_drained(story.len()).await);
    platform.execute(mending).await;
    platform.drained(story.len()).await;
    member.stop();
    story.assert_told(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_gone_is_missed_before_anything_is_written() {
    nothing_is_lost(
        "ALTER TABLE trip_events RENAME COLUMN distance_km TO distance",
        "missing: column distance_km of trip_events",
        "ALTER TABLE trip_events RENAME COLUMN distance TO distance_km",
        171,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_is_gone_is_missed_before_anything_is_written() {
    nothing_is_lost(
        "DETACH TABLE agg_payments_from_payment",
        "view agg_payments_from_payment from in_payment to agg_payments_state",
        "ATTACH TABLE agg_payments_from_payment",
        172,
    )
    .await;
}
