//! What somebody else has written is named, and nothing is guessed.

use std::error::Error;

use metadata_store::{StoreError, batches, lanes, settlings};

use crate::{
    database::Database,
    intents::{at, opened, settling},
};

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_that_are_none_are_told() {
    let database = Database::new().await;
    let batch = opened(&database.pool, &database.lanes(1).await).await;
    database
        .execute("UPDATE ingest_range SET verdicts = '{\"duplicates\": [[1]]}'")
        .await;
    let error = batches::load(&database.pool, batch.id).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("cannot read verdicts stored in PostgreSQL: invalid length 1"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_that_are_none_are_told() {
    let database = Database::new().await;
    let stored = settlings::open(&database.pool, "member", &settling(at(0))).await;
    assert!(stored.unwrap());
    database
        .execute("UPDATE settle_batch SET buckets = '{}'")
        .await;
    let error = settlings::current(&database.pool).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read buckets stored in PostgreSQL: missing field `taken`"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_not_migrated_is_told_with_the_table_that_lacks() {
    let database = Database::empty().await;
    let error = lanes::all(&database.pool).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot read the lanes in PostgreSQL");
    assert!(matches!(error, StoreError::Query { .. }));
    assert_eq!(
        error.source().unwrap().to_string(),
        "relation \"ingest_lane\" does not exist"
    );
}
