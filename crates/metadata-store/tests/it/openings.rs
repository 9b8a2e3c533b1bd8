//! An opening stores the whole intent and holds its lanes, or it changes nothing.

use chrono::TimeDelta;
use metadata_store::{
    StoreError,
    batches::{self, Batch, Gap, Opening, Verdicts},
    clock, lanes,
};
use service_runtime::clock::{Clock, SystemClock};

use crate::{
    database::{Database, lane},
    intents::{at, batch, close, judged, open, opened},
};

/// An opening that is refused, and leaves everything as it was.
async fn is_refused(database: &Database, batch: &Batch, expected: Opening) {
    let before = database.all_lanes().await;
    assert_eq!(open(&database.pool, batch).await, expected);
    assert_eq!(database.all_lanes().await, before);
    let stored = batches::load(&database.pool, batch.id).await;
    assert!(
        matches!(stored, Err(StoreError::NoSuchBatch(id)) if id == batch.id),
        "{stored:?}"
    );
    let orphans = format!("ingest_range WHERE batch_id = '{}'", batch.id);
    assert_eq!(database.count(&orphans).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_reads_as_it_was_stored_and_holds_its_lanes() {
    let database = Database::new().await;
    let lanes = database.lanes(3).await;
    let mut batch = batch(&lanes[..2]);
    batch.ranges[1].verdicts = Verdicts {
        duplicates: vec![(4, 1)],
        reused_ids: vec![(7, 2)],
        gaps: vec![Gap {
            lo: 8,
            hi: 9,
            cause: "compacted".to_owned(),
        }],
    };
    assert_eq!(open(&database.pool, &batch).await, Opening::Opened);

    let stored = batches::load(&database.pool, batch.id).await.unwrap();
    assert_eq!((stored.attempt, stored.done), (1, false));
    // under which epoch it was opened is not stored
    for range in &mut batch.ranges {
        range.epoch = 0;
    }
    assert_eq!(stored.batch, batch);
    let holders: Vec<_> = database.all_lanes().await;
    let holders: Vec<_> = holders.iter().map(|lane| lane.open_batch).collect();
    assert_eq!(holders, [Some(batch.id), Some(batch.id), None]);
    assert_eq!(database.open_batches().await, [batch.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_about_lies_before_the_end_of_an_open_batch() {
    let database = Database::new().await;
    let lanes = database.lanes(3).await;
    let batch = opened(&database.pool, &lanes[..1]).await;
    database
        .execute("UPDATE ingest_lane SET stopped_reason = 'gone' WHERE partition = 2")
        .await;
    let known = async || -> Vec<Option<i64>> {
        let standings = lanes::standings(&database.pool).await.unwrap();
        standings.iter().map(|lane| lane.known_until).collect()
    };
    let end = batch.ranges[0].hi + 1;
    assert_eq!(known().await, [Some(end), Some(0), None]);
    close(&database.pool, batch.id).await;
    assert_eq!(database.lane(0).await.next_offset, end);
    assert_eq!(known().await, [Some(end), Some(0), None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_open_on_the_same_lane_at_once_one_does() {
    let database = Database::new().await;
    let other = database.hasty(2, std::time::Duration::from_secs(10));
    for lane in database.lanes(25).await {
        let lanes = [lane];
        let (mine, theirs) = (batch(&lanes), batch(&lanes));
        let outcomes = tokio::join!(open(&database.pool, &mine), open(&other, &theirs));
        let lost = Opening::LanesLost(vec![lanes[0].id()]);
        let (winner, loser) = match outcomes {
            (Opening::Opened, refused) if refused == lost => (mine, theirs),
            (refused, Opening::Opened) if refused == lost => (theirs, mine),
            other => panic!("{other:?}"),
        };
        let held = database.lane(lanes[0].partition).await.open_batch;
        assert_eq!(held, Some(winner.id));
        let stored = batches::load(&database.pool, loser.id).await;
        assert!(
            matches!(stored, Err(StoreError::NoSuchBatch(_))),
            "{stored:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_an_old_epoch_nothing_is_opened_on_any_lane() {
    let database = Database::new().await;
    let mine = database.lanes(2).await;
    let theirs = lanes::take_over(&database.pool, "other", &[lane(1)])
        .await
        .unwrap();
    let lost = Opening::LanesLost(vec![lane(1)]);
    is_refused(&database, &batch(&mine), lost).await;
    // without the lane that was lost it goes on, and so does the new owner
    opened(&database.pool, &mine[..1]).await;
    opened(&database.pool, &theirs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_opened_where_the_lane_does_not_stand() {
    let database = Database::new().await;
    let mut lanes = database.lanes(1).await;
    for elsewhere in [-1, 1] {
        lanes[0].next_offset = elsewhere;
        let lost = Opening::LanesLost(vec![lane(0)]);
        is_refused(&database, &batch(&lanes), lost).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_opened_on_a_lane_that_is_held_or_unknown() {
    let database = Database::new().await;
    let lanes = database.lanes(2).await;
    let first = opened(&database.pool, &lanes[..1]).await;
    let lost = Opening::LanesLost(vec![lane(0)]);
    is_refused(&database, &batch(&lanes), lost).await;
    assert_eq!(database.open_batches().await, [first.id]);

    let mut unknown = batch(&lanes[1..]);
    unknown.ranges[0].lane = lane(9);
    is_refused(&database, &unknown, Opening::LanesLost(vec![lane(9)])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_opened_that_was_judged_by_a_clock_far_ahead() {
    let database = Database::new().await;
    let lanes = database.lanes(2).await;
    let in_minutes = |minutes| SystemClock.now() + TimeDelta::minutes(minutes);
    let ahead = judged(in_minutes(6), &lanes[..1]);
    let before = database.all_lanes().await;
    let refused = open(&database.pool, &ahead).await;
    let Opening::Ahead(told) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(told.ours, ahead.decided_at);
    assert!(told.postgres <= SystemClock.now(), "{told}");
    assert_eq!(database.all_lanes().await, before);
    assert!(database.open_batches().await.is_empty());
    let checked = clock::check(&database.pool, ahead.decided_at).await;
    assert!(
        matches!(checked, Err(StoreError::ClockAhead(_))),
        "{checked:?}"
    );

    // clocks differ a little
    let soon = judged(in_minutes(4), &lanes[1..]);
    assert_eq!(open(&database.pool, &soon).await, Opening::Opened);
    clock::check(&database.pool, soon.decided_at).await.unwrap();
    // judged anew when the clock is right
    opened(&database.pool, &lanes[..1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_did_not_hear_the_answer_asks_again_and_changes_nothing() {
    let database = Database::new().await;
    let lanes = database.lanes(2).await;
    let first = opened(&database.pool, &lanes[..1]).await;
    let second = batch(&lanes[1..]);
    let ask = async || {
        batches::advance(&database.pool, at(3), Some(first.id), Some(&second))
            .await
            .unwrap()
    };
    assert_eq!(ask().await, Opening::Opened);
    let attempt = batches::next_attempt(&database.pool, second.id, 1).await;
    assert_eq!(attempt.unwrap(), Some(2));
    let (before, stored) = (
        database.all_lanes().await,
        batches::load(&database.pool, second.id).await.unwrap(),
    );
    assert_eq!(ask().await, Opening::Opened);
    assert_eq!(database.all_lanes().await, before);
    let after = batches::load(&database.pool, second.id).await.unwrap();
    assert_eq!(after, stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_opening_twice_at_once_is_one() {
    let database = Database::new().await;
    let other = database.hasty(2, std::time::Duration::from_secs(10));
    for lane in database.lanes(10).await {
        let batch = batch(std::slice::from_ref(&lane));
        let outcomes = tokio::join!(open(&database.pool, &batch), open(&other, &batch));
        assert_eq!(outcomes, (Opening::Opened, Opening::Opened));
        let held = database.lane(lane.partition).await.open_batch;
        assert_eq!(held, Some(batch.id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closing_is_kept_though_the_opening_that_came_with_it_is_refused() {
    let database = Database::new().await;
    let lanes = database.lanes(1).await;
    let first = opened(&database.pool, &lanes).await;
    // it begins where the lane stood before the closing
    let second = batch(&lanes);
    let answer = batches::advance(&database.pool, at(3), Some(first.id), Some(&second)).await;
    assert_eq!(answer.unwrap(), Opening::LanesLost(vec![lane(0)]));
    let now = database.lane(0).await;
    assert_eq!((now.next_offset, now.open_batch), (10, None));
    assert!(batches::load(&database.pool, first.id).await.unwrap().done);
    // where it stands now, the next one opens
    let third = opened(&database.pool, &[now]).await;
    close(&database.pool, third.id).await;
    assert_eq!(database.lane(0).await.next_offset, 20);
}
