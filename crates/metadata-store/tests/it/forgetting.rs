//! Closed batches are forgotten, unless somebody has to decide about a range of theirs.

use metadata_store::batches;
use uuid::Uuid;

use crate::{
    database::Database,
    intents::{at, batch, close_without_the_first_lane, opened},
};

/// Which of these are still stored.
async fn kept(database: &Database, ids: &[Uuid]) -> Vec<bool> {
    let mut kept = Vec::new();
    for id in ids {
        kept.push(batches::load(&database.pool, *id).await.is_ok());
    }
    kept
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_closed_before_a_time_is_forgotten_with_its_ranges_and_nothing_else() {
    let database = Database::new().await;
    let lanes = database.lanes(3).await;
    let mut ids = Vec::new();
    for (lane, closed) in lanes.chunks(1).zip([Some(at(10)), Some(at(20)), None]) {
        let batch = opened(&database.pool, lane).await;
        if let Some(closed) = closed {
            batches::advance(&database.pool, closed, Some(batch.id), None)
                .await
                .unwrap();
        }
        ids.push(batch.id);
    }
    let before = database.all_lanes().await;
    let forget = async || {
        batches::forget_closed(&database.pool, at(20))
            .await
            .unwrap()
    };
    assert_eq!(forget().await, 1);
    assert_eq!(forget().await, 0);
    assert_eq!(kept(&database, &ids).await, [false, true, true]);
    assert_eq!(database.count("ingest_range").await, 2);
    assert_eq!(database.all_lanes().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_with_a_parked_range_stays_until_its_lane_stands_behind_it() {
    let database = Database::new().await;
    let batch = opened(&database.pool, &database.lanes(2).await).await;
    close_without_the_first_lane(&database.pool, batch.id).await;
    for (next, forgotten) in [(0, 0), (9, 0), (10, 1)] {
        let moved = format!("UPDATE ingest_lane SET next_offset = {next} WHERE partition = 0");
        database.execute(&moved).await;
        let count = batches::forget_closed(&database.pool, at(100)).await;
        assert_eq!(count.unwrap(), forgotten, "at {next}");
    }
    assert_eq!(kept(&database, &[batch.id]).await, [false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_range_of_a_lane_that_is_gone_is_kept() {
    let database = Database::new().await;
    let parked = batch(&database.lanes(1).await);
    let opening = batches::advance(&database.pool, at(1), None, Some(&parked)).await;
    assert_eq!(opening.unwrap(), batches::Opening::Opened);
    close_without_the_first_lane(&database.pool, parked.id).await;
    database.execute("DELETE FROM ingest_lane").await;
    let count = batches::forget_closed(&database.pool, at(100)).await;
    assert_eq!(count.unwrap(), 0);
}
