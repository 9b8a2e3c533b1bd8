//! Who owns a lane, how far it is, and why it stands still.

use metadata_store::{
    batches::Opening,
    lanes::{self, Progress},
};

use crate::{
    database::{Database, lane},
    intents::{at, batch, open, opened},
};

fn progress(partition: i32, epoch: i64) -> Progress {
    Progress {
        lane: lane(partition),
        epoch,
        end_offset: None,
        complete_through: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_is_known_stays_as_it_is() {
    let database = Database::new().await;
    database.lanes(1).await;
    let before = database.all_lanes().await;
    let wanted = [(lane(0), 50), (lane(1), 70)];
    lanes::ensure(&database.pool, &wanted).await.unwrap();
    assert_eq!(database.lane(0).await, before[0]);
    let new = database.lane(1).await;
    assert_eq!((new.first_offset, new.next_offset), (70, 70));
    assert_eq!((new.owner, new.open_batch), (None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_was_announced_begins_where_it_is_first_taken_over() {
    let database = Database::new().await;
    let ids = [lane(0), lane(1)];
    lanes::announce(&database.pool, &ids).await.unwrap();
    let announced = database.lane(0).await;
    assert_eq!((announced.epoch, announced.next_offset), (0, 0));
    assert_eq!((announced.owner, announced.complete_through), (None, None));
    for (first, begins) in [(40, 40), (50, 50)] {
        // the first of two has died before it took the lane over
        lanes::ensure(&database.pool, &[(lane(0), first)])
            .await
            .unwrap();
        let known = database.lane(0).await;
        assert_eq!((known.first_offset, known.next_offset), (begins, begins));
    }
    lanes::take_over(&database.pool, "member", &ids[..1])
        .await
        .unwrap();
    let taken = database.lane(0).await;
    lanes::ensure(&database.pool, &[(lane(0), 70)])
        .await
        .unwrap();
    lanes::announce(&database.pool, &ids).await.unwrap();
    assert_eq!(database.lane(0).await, taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_was_retired_unread_stays_retired() {
    let database = Database::new().await;
    lanes::announce(&database.pool, &[lane(0)]).await.unwrap();
    let is_retired = lanes::retire(&database.pool, at(3), &lane(0), 0, "gone")
        .await
        .unwrap();
    assert!(is_retired);
    let retired = database.lane(0).await;
    lanes::announce(&database.pool, &[lane(0)]).await.unwrap();
    lanes::ensure(&database.pool, &[(lane(0), 40)])
        .await
        .unwrap();
    assert_eq!(database.lane(0).await, retired);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_take_a_lane_over_at_once_one_can_open_on_it() {
    let database = Database::new().await;
    for partition in 0..10 {
        let ids = [lane(partition)];
        lanes::ensure(&database.pool, &[(lane(partition), 0)])
            .await
            .unwrap();
        let (one, other) = tokio::join!(
            lanes::take_over(&database.pool, "one", &ids),
            lanes::take_over(&database.pool, "other", &ids)
        );
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_ne!(one[0].epoch, other[0].epoch);
        let (early, late, owner) = if one[0].epoch < other[0].epoch {
            (one, other, "other")
        } else {
            (other, one, "one")
        };
        let lost = Opening::LanesLost(vec![lane(partition)]);
        assert_eq!(open(&database.pool, &batch(&early)).await, lost);
        opened(&database.pool, &late).await;
        let now = database.lane(partition).await;
        assert_eq!(now.owner.as_deref(), Some(owner));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_take_over_tells_what_the_lane_holds_and_leaves_others_alone() {
    let database = Database::new().await;
    let batch = opened(&database.pool, &database.lanes(2).await[..1]).await;
    let before = database.lane(1).await;
    let taken = lanes::take_over(&database.pool, "other", &[lane(0), lane(9)])
        .await
        .unwrap();
    assert_eq!(taken, [database.lane(0).await]);
    assert_eq!(taken[0].open_batch, Some(batch.id));
    assert_eq!(database.lane(1).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_from_a_state_that_was_lost_never_owns_again() {
    let database = Database::new().await;
    let lost = database.lanes(1).await;
    // a failover to a server that has not seen the take-over
    database
        .execute("UPDATE ingest_lane SET epoch = 0; SELECT pg_sleep(0.01)")
        .await;
    let now = lanes::take_over(&database.pool, "other", &[lane(0)])
        .await
        .unwrap();
    assert!(now[0].epoch > lost[0].epoch, "{now:?} after {lost:?}");
    let refused = Opening::LanesLost(vec![lane(0)]);
    assert_eq!(open(&database.pool, &batch(&lost)).await, refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_owner_releases_a_lane() {
    let database = Database::new().await;
    database.lanes(2).await;
    lanes::take_over(&database.pool, "other", &[lane(1)])
        .await
        .unwrap();
    lanes::release(&database.pool, "member", &[lane(0), lane(1)])
        .await
        .unwrap();
    let owners: Vec<_> = database.all_lanes().await;
    let owners: Vec<_> = owners.iter().map(|lane| lane.owner.as_deref()).collect();
    assert_eq!(owners, [None, Some("other")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_counts_under_the_epoch_of_today_and_keeps_what_it_does_not_tell() {
    let database = Database::new().await;
    let taken = database.lanes(2).await;
    let full = |lane: &lanes::Lane| Progress {
        end_offset: Some(30),
        complete_through: Some(at(5)),
        ..progress(lane.partition, lane.epoch)
    };
    let reports = [full(&taken[0]), full(&taken[1])];
    lanes::report(&database.pool, at(6), &reports)
        .await
        .unwrap();
    let told = database.lane(0).await;
    assert_eq!(
        (told.end_offset, told.complete_through, told.heartbeat_at),
        (Some(30), Some(at(5)), Some(at(6)))
    );

    lanes::take_over(&database.pool, "other", &[lane(1)])
        .await
        .unwrap();
    let before = database.lane(1).await;
    let reports = [0, 1].map(|partition| progress(partition, taken[0].epoch));
    lanes::report(&database.pool, at(9), &reports)
        .await
        .unwrap();
    assert_eq!(database.lane(1).await, before);
    let now = database.lane(0).await;
    assert_eq!(
        (now.end_offset, now.complete_through, now.heartbeat_at),
        (Some(30), Some(at(5)), Some(at(9)))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_lane_says_why_until_it_is_resumed_once() {
    let database = Database::new().await;
    let epoch = database.lanes(2).await[0].epoch;
    let untouched = database.lane(1).await;
    let reason = "offsets 3 to 5 no longer read";
    let stop = async |reason| lanes::stop(&database.pool, &lane(0), epoch, reason).await;
    assert!(stop(reason).await.unwrap());
    // a new owner finds it stopped
    let taken = lanes::take_over(&database.pool, "other", &[lane(0)])
        .await
        .unwrap();
    assert_eq!(taken[0].stopped_reason.as_deref(), Some(reason));
    // and the one before, who sees another log or wakes late, has no say any more
    assert!(!stop("the log begins at 2000").await.unwrap());
    assert_eq!(database.lane(0).await, taken[0]);

    // whoever decided about another place has not decided about this one
    let elsewhere = lanes::resume(&database.pool, &lane(0), 5).await.unwrap();
    assert!(!elsewhere);
    assert_eq!(database.lane(0).await, taken[0]);
    for was_stopped in [true, false] {
        let answer = lanes::resume(&database.pool, &lane(0), 0).await.unwrap();
        assert_eq!(answer, was_stopped);
        assert_eq!(database.lane(0).await.stopped_reason, None);
    }
    assert_eq!(database.lane(1).await, untouched);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_is_unknown_is_neither_found_nor_resumed() {
    let database = Database::new().await;
    let found = lanes::find(&database.pool, &lane(9)).await.unwrap();
    assert_eq!(found, None);
    let resumed = lanes::resume(&database.pool, &lane(9), 0).await.unwrap();
    assert!(!resumed);
}
