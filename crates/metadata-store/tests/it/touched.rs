//! Which hours stored batches added to.

use std::time::Duration;

use metadata_store::batches::{Lately, touched};

use crate::{
    database::Database,
    intents::{self, close, opened},
};

const A_MINUTE: Duration = Duration::from_secs(60);

async fn lately(database: &Database, reach: Duration) -> Lately {
    touched(&database.pool, reach).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_tells_what_it_touched_once_it_is_closed() {
    let database = Database::new().await;
    let batch = opened(&database.pool, &database.lanes(1).await).await;
    let open = lately(&database, A_MINUTE).await;
    assert_eq!(open.batches, []);

    close(&database.pool, batch.id).await;
    let closed = lately(&database, A_MINUTE).await;
    let [(stored_by, told)] = closed.batches.as_slice() else {
        panic!("{closed:?}");
    };
    assert_eq!(told, &batch.touched);
    // whoever asked before the closing can tell by this server's clock alone, whatever the member's says
    assert!((open.now..=closed.now).contains(stored_by), "{closed:?}");

    close(&database.pool, batch.id).await;
    assert_eq!(lately(&database, A_MINUTE).await.batches, closed.batches);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_further_back_is_not_told() {
    let database = Database::new().await;
    let batch = opened(&database.pool, &database.lanes(1).await).await;
    close(&database.pool, batch.id).await;
    assert_eq!(lately(&database, Duration::ZERO).await.batches, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_put_back_touches_its_hours_again_when_it_is_closed() {
    let database = Database::new().await;
    let batch = opened(&database.pool, &database.lanes(1).await).await;
    close(&database.pool, batch.id).await;
    let first = lately(&database, A_MINUTE).await;
    metadata_store::rebuilt::store(&database.pool, batch.decided_at, &batch)
        .await
        .unwrap();
    assert_eq!(lately(&database, A_MINUTE).await.batches, []);
    close(&database.pool, batch.id).await;
    let again = lately(&database, A_MINUTE).await;
    assert_eq!(again.batches.len(), 1);
    assert!(again.batches[0].0 > first.now, "{again:?}");
    assert_eq!(again.batches[0].1, batch.touched);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_which_nothing_is_known_may_have_touched_anything() {
    let database = Database::new().await;
    let mut batch = intents::batch(&database.lanes(1).await);
    batch.touched = None;
    intents::open(&database.pool, &batch).await;
    close(&database.pool, batch.id).await;
    let told = lately(&database, A_MINUTE).await.batches;
    assert!(matches!(told.as_slice(), [(_, None)]), "{told:?}");
}
