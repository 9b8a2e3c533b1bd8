//! Ranges that wait for a decision.

use metadata_store::batches::{self, Opening, Parked};

use crate::{
    database::{Database, lane},
    intents::{at, batch, close, close_without_the_first_lane, open, opened, parked},
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
    for _ in 0..2 {
        batches::park(&database.pool, batch.id, &lane(1), 1)
            .await
            .unwrap();
    }
    let stored = batches::load(&database.pool, batch.id).await.unwrap();
    assert_eq!(parked(&stored), [false, true]);
    // and what is over is not opened by it
    close(&database.pool, batch.id).await;
    batches::park(&database.pool, batch.id, &lane(1), 1)
        .await
        .unwrap();
    let again = batches::advance(&database.pool, at(3), Some(batch.id), None).await;
    assert_eq!(again.unwrap(), Opening::Opened);
    assert_eq!(database.lane(1).await.next_offset, 0);
}
