//! The horizon of settling: what may be settled, and what may be opened beside it.

use chrono::TimeDelta;
use metadata_store::{
    StoreError,
    batches::{self, Opening},
    settlings::raise_horizon,
};
use service_runtime::clock::{Clock, SystemClock};

use crate::{
    database::Database,
    intents::{at, close, judged, open},
};

/// Which bucket a time lies in.
fn bucket(seconds: i64) -> i64 {
    at(seconds).timestamp() / 10
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_judged_before_the_horizon_is_refused_and_told_from_when_on_it_is_not() {
    let database = Database::new().await;
    let lanes = database.lanes(1).await;
    let horizon = raise_horizon(&database.pool, at(100)).await.unwrap();
    assert_eq!(horizon.bucket, bucket(90));

    let before = database.all_lanes().await;
    let early = judged(at(100) - TimeDelta::milliseconds(1), &lanes);
    assert_eq!(open(&database.pool, &early).await, Opening::Stale(at(100)));
    assert_eq!(database.all_lanes().await, before);
    let stored = batches::load(&database.pool, early.id).await;
    assert!(
        matches!(stored, Err(StoreError::NoSuchBatch(_))),
        "{stored:?}"
    );

    let anew = judged(at(100), &lanes);
    assert_eq!(open(&database.pool, &anew).await, Opening::Opened);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_horizon_stays_before_what_an_open_batch_may_add_to() {
    let database = Database::new().await;
    let lanes = database.lanes(2).await;
    let (first, second) = (judged(at(15), &lanes[..1]), judged(at(45), &lanes[1..]));
    for batch in [&first, &second] {
        assert_eq!(open(&database.pool, batch).await, Opening::Opened);
    }
    let raise = async || {
        raise_horizon(&database.pool, at(1000))
            .await
            .unwrap()
            .bucket
    };
    assert_eq!(raise().await, bucket(0));
    close(&database.pool, first.id).await;
    assert_eq!(raise().await, bucket(30));
    close(&database.pool, second.id).await;
    assert_eq!(raise().await, bucket(990));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_horizon_never_goes_back() {
    let database = Database::new().await;
    let first = raise_horizon(&database.pool, at(100)).await.unwrap();
    let second = raise_horizon(&database.pool, at(50)).await.unwrap();
    assert_eq!(second.bucket, first.bucket);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_runs_ahead_pushes_no_batch_into_the_future() {
    let database = Database::new().await;
    let lanes = database.lanes(1).await;
    let ahead = SystemClock.now() + TimeDelta::days(365);
    let horizon = raise_horizon(&database.pool, ahead).await.unwrap();
    assert!(horizon.now < ahead);
    // the bucket after the one in which the horizon was raised at the latest
    let soon = SystemClock.now() + TimeDelta::seconds(10);
    let batch = judged(soon, &lanes);
    assert_eq!(open(&database.pool, &batch).await, Opening::Opened);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_horizon_that_is_raised_while_a_batch_is_opened_takes_nothing_of_it() {
    let database = Database::new().await;
    let (mut opened, mut stale) = (0, 0);
    for (lane, round) in database.lanes(40).await.into_iter().zip(1..) {
        let batch = judged(at(100 * round), &[lane]);
        let opening = open(&database.pool, &batch);
        let raising = raise_horizon(&database.pool, at(100 * round + 50));
        // now one is the first to arrive, and now the other
        let (opening, horizon) = if round % 2 == 0 {
            tokio::join!(opening, raising)
        } else {
            let (horizon, opening) = tokio::join!(raising, opening);
            (opening, horizon)
        };
        let taken = horizon.unwrap().bucket;
        match opening {
            Opening::Opened => {
                opened += 1;
                assert!(taken < bucket(100 * round), "{taken} was taken");
                close(&database.pool, batch.id).await;
            }
            Opening::Stale(_) => {
                stale += 1;
                assert!(taken >= bucket(100 * round));
            }
            other => panic!("{other:?}"),
        }
    }
    println!("{opened} opened, {stale} stale");
}
