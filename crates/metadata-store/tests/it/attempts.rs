//! Attempts are announced before their first byte, each by one only.

use futures::future::join_all;
use metadata_store::{StoreError, batches, settlings};
use uuid::Uuid;

use crate::{
    database::Database,
    intents::{at, close, opened, settling},
};

/// How many try at once.
const CONTENDERS: usize = 8;

/// The attempt that one of them, and one only, has announced.
fn the_one(announced: Vec<Result<Option<i32>, StoreError>>) -> i32 {
    let announced: Vec<_> = announced.into_iter().filter_map(Result::unwrap).collect();
    let [attempt] = announced[..] else {
        panic!("{announced:?}")
    };
    attempt
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_that_recover_a_batch_at_once_one_gets_the_attempt() {
    let database = Database::new().await;
    let batch = opened(&database.pool, &database.lanes(1).await).await;
    for last in 1..5 {
        let announce = |_| batches::next_attempt(&database.pool, batch.id, last);
        let announced = join_all((0..CONTENDERS).map(announce)).await;
        assert_eq!(the_one(announced), last + 1);
        let stored = batches::load(&database.pool, batch.id).await.unwrap();
        assert_eq!(stored.attempt, last + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_that_go_on_with_a_settling_at_once_one_gets_the_attempt() {
    let database = Database::new().await;
    let settling = settling(at(0));
    assert!(
        settlings::open(&database.pool, "first", &settling)
            .await
            .unwrap()
    );
    for last in 1..5 {
        let names: Vec<String> = (0..CONTENDERS).map(|n| format!("member {n}")).collect();
        let announce = |name| settlings::next_attempt(&database.pool, name, settling.id, last);
        let announced = join_all(names.iter().map(|name| announce(name))).await;
        let winner = announced.iter().position(|own| matches!(own, Ok(Some(_))));
        assert_eq!(the_one(announced), last + 1);
        let owned = format!(
            "settle_batch WHERE attempt = {} AND owner = '{}'",
            last + 1,
            names[winner.unwrap()]
        );
        assert_eq!(database.count(&owned).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_an_attempt_at_what_is_over_or_not_there() {
    let database = Database::new().await;
    let batch = opened(&database.pool, &database.lanes(1).await).await;
    close(&database.pool, batch.id).await;
    for id in [batch.id, Uuid::now_v7()] {
        let announced = batches::next_attempt(&database.pool, id, 1).await;
        assert_eq!(announced.unwrap(), None);
    }
    let stored = batches::load(&database.pool, batch.id).await.unwrap();
    assert_eq!((stored.attempt, stored.done), (1, true));
}
