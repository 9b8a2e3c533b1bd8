//! Settlings: one under way at a time, each going on from state to state once.

use metadata_store::{
    rebuilt,
    settlings::{self, Settling, State},
};

use std::{future::poll_fn, pin::pin, task::Poll};

use crate::{
    database::{Database, until},
    intents::{at, settling},
};

async fn open(database: &Database, settling: &Settling) -> bool {
    settlings::open(&database.pool, "member", settling)
        .await
        .unwrap()
}

/// Whether it went on.
async fn go_on(database: &Database, settling: &Settling, from: State, to: State) -> bool {
    settlings::advance(&database.pool, settling.id, from, to, at(60))
        .await
        .unwrap()
}

async fn finish(database: &Database, settling: &Settling) {
    assert!(go_on(database, settling, State::Open, State::Applied).await);
    assert!(go_on(database, settling, State::Applied, State::Done).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_open_a_settling_at_once_one_does() {
    let database = Database::new().await;
    for round in 0..10 {
        let (one, other) = (settling(at(round)), settling(at(round)));
        let (first, second) = tokio::join!(open(&database, &one), open(&database, &other));
        assert!(first != second, "{first} and {second}");
        let winner = if first { one } else { other };
        let current = settlings::current(&database.pool).await.unwrap();
        assert_eq!(current.as_ref(), Some(&winner));
        finish(&database, &winner).await;
        assert_eq!(settlings::current(&database.pool).await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settling_goes_on_from_the_state_that_it_is_in_and_once() {
    let database = Database::new().await;
    let settling = settling(at(0));
    assert!(open(&database, &settling).await);
    assert!(!go_on(&database, &settling, State::Applied, State::Done).await);
    assert!(go_on(&database, &settling, State::Open, State::Applied).await);
    assert!(!go_on(&database, &settling, State::Open, State::Applied).await);
    let current = settlings::current(&database.pool).await.unwrap();
    let applied = Settling {
        state: State::Applied,
        ..settling.clone()
    };
    assert_eq!(current, Some(applied));
    assert!(go_on(&database, &settling, State::Applied, State::Done).await);
    for from in [State::Open, State::Applied] {
        assert!(!go_on(&database, &settling, from, State::Done).await);
    }
    assert_eq!(
        settlings::next_attempt(&database.pool, "late", settling.id, 1)
            .await
            .unwrap(),
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_turn_to_settle_is_had_by_one_until_it_is_given_back() {
    let database = Database::new().await;
    let other = database.hasty(1, std::time::Duration::from_secs(10));
    let turn = settlings::take_turn(&database.pool).await.unwrap();
    assert!(turn.is_some());
    for pool in [&other, &database.pool] {
        assert!(settlings::take_turn(pool).await.unwrap().is_none());
    }
    drop(turn);
    let is_had = async || settlings::take_turn(&other).await.unwrap().is_some();
    until("the other has the turn", is_had).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_takes_no_connection_from_those_who_work() {
    let database = Database::new().await;
    let pool = database.hasty(1, std::time::Duration::from_secs(10));
    let turn = settlings::take_turn(&pool).await.unwrap();
    pool.ping().await.unwrap();
    assert!(turn.is_some());
}

/// Looks at the future so many times, and drops it. Answers whether it was over.
async fn looked_at(times: usize, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut looks = 0;
    poll_fn(|context| {
        looks += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if looks == times => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_whose_taker_was_given_up_is_free_wherever_it_was() {
    let database = Database::new().await;
    let other = database.hasty(1, std::time::Duration::from_secs(10));
    let is_free = async || settlings::take_turn(&other).await.unwrap().is_some();
    let mut most = 0;
    // on a busy machine several answers may come before the next look
    for _ in 0..20 {
        let mut looks = 1;
        while !looked_at(looks, settlings::take_turn(&database.pool)).await {
            // behind it on its connection, should the pool have that again
            database.pool.ping().await.unwrap();
            until("the turn is free", is_free).await;
            looks += 1;
        }
        most = looks.max(most);
        if most > 3 {
            break;
        }
        until("the turn is free", is_free).await;
    }
    assert!(most > 3, "{most} looks see no answer on its way");
}

#[tokio::test(flavor = "multi_thread")]
async fn settlings_that_were_over_before_a_time_are_forgotten_and_no_others() {
    let database = Database::new().await;
    let (old, recent, current) = (settling(at(0)), settling(at(10)), settling(at(20)));
    for (settling, closed) in [(&old, at(30)), (&recent, at(40))] {
        assert!(open(&database, settling).await);
        settlings::advance(
            &database.pool,
            settling.id,
            State::Open,
            State::Done,
            closed,
        )
        .await
        .unwrap();
    }
    assert!(open(&database, &current).await);
    let forget = async |before| {
        settlings::forget_done(&database.pool, before)
            .await
            .unwrap()
    };
    assert_eq!(forget(at(40)).await, 1);
    assert_eq!(forget(at(40)).await, 0);
    let kept = format!(
        "settle_batch WHERE id IN ('{}', '{}')",
        recent.id, current.id
    );
    assert_eq!(database.count(&kept).await, 2);
    // however late, what is not over stays, and the latest that is
    assert_eq!(forget(at(10_000)).await, 0);
    assert_eq!(database.count(&kept).await, 2);
    let stays = settlings::current(&database.pool).await.unwrap();
    assert_eq!(stays.as_ref(), Some(&current));
    finish(&database, &current).await;
    assert_eq!(forget(at(10_000)).await, 1);
    let known = rebuilt::latest_settlings(&database.pool, 10).await.unwrap();
    assert_eq!(known, [(current.id, at(20))]);
}
