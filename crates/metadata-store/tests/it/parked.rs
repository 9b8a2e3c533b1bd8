//! Ranges that wait for a decision.

use metadata_store::batches::{self, Opening, Parked, Stored};

use crate::{
    database::{Database, lane},
    intents::{at, batch, close, close_without_the_first_lane, open, opened, parked, unreadable},
};

#[tokio::test(flavor = "multi_thread")]
async fn parked_ranges_of_a_lane_are_listed_from_an_offset_on_in_their_order() {
    let database = Database::new().await;
    let lanes = database.lanes(2).await;
    let mut expected = Vec::new();
    let mut standing = lanes.clone();
    for lo in [0, 10] {
        let batch = opened(&database.pool, &standing).await;
        close_without_the_first_lane(&database.pool, batch.id).await;
        expected.push(Parked {
            batch: batch.id,
            lo,
            hi: lo + 9,
        });
        let moved = format!(
            "UPDATE ingest_lane SET next_offset = {} WHERE partition = 0",
            lo + 10
        );
        database.execute(&moved).await;
        standing = database.all_lanes().await;
    }
    for (next, from) in [(0, 0), (9, 0), (10, 1), (19, 1), (20, 2)] {
        let parked = batches::parked(&database.pool, &lane(0), next).await;
        assert_eq!(parked.unwrap(), expected[from..], "from {next}");
    }
    let neighbour = batches::parked(&database.pool, &lane(1), 0).await;
    assert_eq!(neighbour.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn parking_again_changes_nothing() {
    let database = Database::new().await;
    let batch = batch(&database.lanes(2).await);
    assert_eq!(open(&database.pool, &batch).await, Opening::Opened);
    let park = async || batches::park(&database.pool, batch.id, 1, &[unreadable(1)]).await;
    for _ in 0..2 {
        park().await.unwrap();
    }
    let stored = batches::load(&database.pool, batch.id).await.unwrap();
    assert_eq!(parked(&stored), [false, true]);
    assert_eq!(omissions(&stored), [None, Some(1)]);
    // and what is over is not opened by it
    close(&database.pool, batch.id).await;
    assert_eq!(park().await.unwrap(), None);
    let again = batches::advance(&database.pool, at(3), Some(batch.id), None).await;
    assert_eq!(again.unwrap(), Opening::Opened);
    assert_eq!(database.lane(1).await.next_offset, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_attempt_was_given_up_parks_nothing_and_stops_no_lane() {
    let database = Database::new().await;
    let batch = opened(&database.pool, &database.lanes(3).await).await;
    let loaded = batches::load(&database.pool, batch.id).await.unwrap();
    batches::next_attempt(&database.pool, batch.id, 1)
        .await
        .unwrap();
    let before = database.all_lanes().await;
    let late = batches::park(&database.pool, batch.id, 1, &[unreadable(0)]).await;
    assert_eq!(late.unwrap(), None);
    let stored = batches::load(&database.pool, batch.id).await.unwrap();
    assert_eq!(stored.batch, loaded.batch);
    assert_eq!(database.all_lanes().await, before);

    for (partition, omission) in [(2, 1), (1, 2)] {
        let changed = [unreadable(partition)];
        let parked = batches::park(&database.pool, batch.id, 2, &changed).await;
        assert_eq!(parked.unwrap(), Some(omission));
        let reason = database.lane(partition).await.stopped_reason;
        assert_eq!(reason.as_ref(), Some(&changed[0].1));
    }
    let stored = batches::load(&database.pool, batch.id).await.unwrap();
    assert_eq!(omissions(&stored), [None, Some(2), Some(1)]);
    assert_eq!(database.lane(0).await.stopped_reason, None);
}

/// Which omission each range was first part of.
fn omissions(stored: &Stored) -> Vec<Option<i32>> {
    let ranges = stored.batch.ranges.iter();
    ranges.map(|range| range.omission).collect()
}
