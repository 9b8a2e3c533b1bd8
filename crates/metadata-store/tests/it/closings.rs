//! A closing moves every lane behind its range, once and all or none.

use metadata_store::{StoreError, batches, lanes};
use uuid::Uuid;

use crate::{
    database::{Database, lane},
    intents::{at, close, close_without_the_first_lane, opened},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_closing_moves_each_lane_once_however_often_it_is_asked_for() {
    let database = Database::new().await;
    let first = opened(&database.pool, &database.lanes(2).await).await;
    close(&database.pool, first.id).await;
    let moved = database.all_lanes().await;
    assert!(
        moved
            .iter()
            .all(|lane| lane.next_offset == 10 && lane.open_batch.is_none()),
        "{moved:?}"
    );
    assert_eq!(database.open_batches().await, Vec::<Uuid>::new());
    close(&database.pool, first.id).await;
    assert_eq!(database.all_lanes().await, moved);

    // nor does it let go what the next batch holds
    let second = opened(&database.pool, &moved).await;
    let held = database.all_lanes().await;
    close(&database.pool, first.id).await;
    assert_eq!(database.all_lanes().await, held);
    assert_eq!(database.open_batches().await, [second.id]);
    // nor does it miss its lanes where they have gone on
    close(&database.pool, second.id).await;
    close(&database.pool, first.id).await;
    assert_eq!(database.lane(0).await.next_offset, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_not_stored_closes_without_an_effect() {
    let database = Database::new().await;
    database.lanes(1).await;
    let before = database.all_lanes().await;
    close(&database.pool, Uuid::now_v7()).await;
    assert_eq!(database.all_lanes().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_close_at_once_move_the_lanes_once() {
    let database = Database::new().await;
    for lane in database.lanes(25).await {
        let batch = opened(&database.pool, std::slice::from_ref(&lane)).await;
        tokio::join!(
            close(&database.pool, batch.id),
            close(&database.pool, batch.id)
        );
        let now = database.lane(lane.partition).await;
        assert_eq!((now.next_offset, now.open_batch), (10, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closing_moves_lanes_that_somebody_else_owns_by_now() {
    let database = Database::new().await;
    let batch = opened(&database.pool, &database.lanes(2).await).await;
    lanes::take_over(&database.pool, "other", &[lane(1)])
        .await
        .unwrap();
    close(&database.pool, batch.id).await;
    let now = database.lane(1).await;
    assert_eq!((now.next_offset, now.open_batch), (10, None));
    assert_eq!(now.owner.as_deref(), Some("other"));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_lane_stands_elsewhere_no_lane_is_moved() {
    let database = Database::new().await;
    let batch = opened(&database.pool, &database.lanes(2).await).await;
    database
        .execute("UPDATE ingest_lane SET next_offset = 4 WHERE partition = 1")
        .await;
    let before = database.all_lanes().await;
    let error = batches::advance(&database.pool, at(2), Some(batch.id), None)
        .await
        .unwrap_err();
    let StoreError::LaneMoved {
        batch: named,
        lane: stayed,
        expected,
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!((*named, stayed, *expected), (batch.id, &lane(1), 0));
    let text = format!(
        "batch {} cannot be closed: lane events/1 does not stand at the batch's first offset 0",
        batch.id
    );
    assert_eq!(error.to_string(), text);
    assert_eq!(database.all_lanes().await, before);
    assert_eq!(database.open_batches().await, [batch.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_range_is_left_behind_and_its_lane_is_free() {
    let database = Database::new().await;
    let batch = opened(&database.pool, &database.lanes(2).await).await;
    close_without_the_first_lane(&database.pool, batch.id).await;
    let standing: Vec<_> = database
        .all_lanes()
        .await
        .into_iter()
        .map(|lane| (lane.next_offset, lane.open_batch))
        .collect();
    assert_eq!(standing, [(0, None), (10, None)]);
}
