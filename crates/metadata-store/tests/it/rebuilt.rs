//! Putting back what the database has forgotten, any number of times.

use metadata_store::{
    batches::{self, Opening},
    lanes,
    rebuilt::{self, take_turn},
    settlings,
};
use uuid::Uuid;

use crate::{
    database::{Database, lane, until},
    intents::{at, batch, close, open, opened, parked, settling},
};

async fn store(database: &Database, batch: &batches::Batch) {
    rebuilt::store(&database.pool, at(5), batch).await.unwrap();
}

async fn close_where_lanes_stand(
    database: &Database,
    id: Uuid,
) -> Vec<(metadata_store::LaneId, i64)> {
    rebuilt::close(&database.pool, at(6), id).await.unwrap()
}

/// Sets the first lane somewhere else.
async fn set_back(database: &Database, next: i64) {
    let sql = format!("UPDATE ingest_lane SET next_offset = {next} WHERE partition = 0");
    database.execute(&sql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_forgotten_is_put_back_and_closed_once() {
    let database = Database::new().await;
    let forgotten = batch(&database.lanes(2).await);
    store(&database, &forgotten).await;
    let stored = batches::load(&database.pool, forgotten.id).await.unwrap();
    assert!(!stored.done);
    assert_eq!(stored.batch.age_limits, forgotten.age_limits);
    let held = database.all_lanes().await;
    assert!(
        held.iter()
            .all(|lane| lane.open_batch == Some(forgotten.id)),
        "{held:?}"
    );
    // again, before it is closed
    store(&database, &forgotten).await;
    assert_eq!(database.all_lanes().await, held);
    let again = batches::load(&database.pool, forgotten.id).await.unwrap();
    assert_eq!(again, stored);

    let elsewhere = close_where_lanes_stand(&database, forgotten.id).await;
    assert_eq!(elsewhere, []);
    let moved = database.all_lanes().await;
    assert!(
        moved
            .iter()
            .all(|lane| (lane.next_offset, lane.open_batch) == (10, None)),
        "{moved:?}"
    );
    // and again, after that
    for _ in 0..2 {
        store(&database, &forgotten).await;
        let elsewhere = close_where_lanes_stand(&database, forgotten.id).await;
        assert_eq!(elsewhere, []);
        assert_eq!(database.all_lanes().await, moved);
        assert!(database.open_batches().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_batch_is_opened_again_where_its_lane_was_set_back() {
    let database = Database::new().await;
    let closed = opened(&database.pool, &database.lanes(2).await).await;
    close(&database.pool, closed.id).await;
    set_back(&database, 4).await;
    store(&database, &closed).await;
    let holders = database.all_lanes().await;
    let holders: Vec<_> = holders.iter().map(|lane| lane.open_batch).collect();
    assert_eq!(holders, [Some(closed.id), None]);
    // the other lane has had its range, which is not read again
    let stored = batches::load(&database.pool, closed.id).await.unwrap();
    assert!(!stored.done);
    assert_eq!(parked(&stored), [false, true]);

    let elsewhere = close_where_lanes_stand(&database, closed.id).await;
    assert_eq!(elsewhere, []);
    let standing = database.all_lanes().await;
    let standing: Vec<_> = standing.iter().map(|lane| lane.next_offset).collect();
    assert_eq!(standing, [10, 10]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_before_its_range_is_told_and_stays() {
    let database = Database::new().await;
    let first = opened(&database.pool, &database.lanes(2).await).await;
    close(&database.pool, first.id).await;
    let second = batch(&database.all_lanes().await);
    set_back(&database, 4).await;
    let before = database.lane(0).await;
    store(&database, &second).await;
    assert_eq!(database.lane(0).await, before);
    let elsewhere = close_where_lanes_stand(&database, second.id).await;
    assert_eq!(elsewhere, [(lane(0), 4)]);
    assert_eq!(database.lane(0).await, before);
    assert_eq!(database.lane(1).await.next_offset, 20);
    // it is closed, so nothing is told twice
    assert_eq!(close_where_lanes_stand(&database, second.id).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_another_batch_holds_is_not_taken_from_it() {
    let database = Database::new().await;
    let lanes = database.lanes(2).await;
    let forgotten = batch(&lanes);
    let holder = opened(&database.pool, &lanes[..1]).await;
    store(&database, &forgotten).await;
    let holders = database.all_lanes().await;
    let holders: Vec<_> = holders.iter().map(|lane| lane.open_batch).collect();
    assert_eq!(holders, [Some(holder.id), Some(forgotten.id)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_are_freed_of_a_batch_that_is_not_stored_and_of_no_other() {
    let database = Database::new().await;
    let lanes = database.lanes(2).await;
    let stored = opened(&database.pool, &lanes[..1]).await;
    let lost = opened(&database.pool, &lanes[1..]).await;
    let forget = format!("DELETE FROM ingest_batch WHERE id = '{}'", lost.id);
    database.execute(&forget).await;
    for id in [stored.id, lost.id] {
        rebuilt::free_lanes_of_nothing(&database.pool, id)
            .await
            .unwrap();
    }
    let holders = database.all_lanes().await;
    let holders: Vec<_> = holders.iter().map(|lane| lane.open_batch).collect();
    assert_eq!(holders, [Some(stored.id), None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_reads_on_meanwhile_does_not_open_on_what_is_put_back() {
    let database = Database::new().await;
    let lanes = database.lanes(1).await;
    store(&database, &batch(&lanes)).await;
    let lost = Opening::LanesLost(vec![lane(0)]);
    assert_eq!(open(&database.pool, &batch(&lanes)).await, lost);
    // whoever takes the lane over finds the batch and finishes it
    let taken = lanes::take_over(&database.pool, "other", &[lane(0)])
        .await
        .unwrap();
    assert_eq!(
        taken[0].open_batch,
        database.open_batches().await.first().copied()
    );
    assert!(taken[0].open_batch.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_at_a_time_puts_back_and_settling_goes_on_beside_it() {
    let database = Database::new().await;
    let turn = take_turn(&database.pool).await.unwrap();
    assert!(turn.is_some());
    assert!(take_turn(&database.pool).await.unwrap().is_none());
    assert!(
        settlings::take_turn(&database.pool)
            .await
            .unwrap()
            .is_some()
    );
    drop(turn);
    let is_had = async || take_turn(&database.pool).await.unwrap().is_some();
    until("the turn is free", is_had).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_settlings_are_told_newest_first() {
    let database = Database::new().await;
    let mut expected = Vec::new();
    for seconds in [20, 0, 10] {
        let settling = settling(at(seconds));
        let stored = settlings::open(&database.pool, "member", &settling).await;
        assert!(stored.unwrap());
        let (open, done) = (settlings::State::Open, settlings::State::Done);
        settlings::advance(&database.pool, settling.id, open, done, at(60))
            .await
            .unwrap();
        expected.push((settling.id, settling.settled_at));
    }
    let told = rebuilt::latest_settlings(&database.pool, 2).await.unwrap();
    assert_eq!(told, [expected[0], expected[2]]);
}
