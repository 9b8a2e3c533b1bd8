use std::time::Duration;

use event_store::StoreError;
use uuid::Uuid;

use crate::support::{self, execute, wait_for_query};

#[tokio::test(flavor = "multi_thread")]
async fn the_server_keeps_the_deadline_by_itself() {
    let store = support::store().await;
    let sql = "SELECT count() FROM numbers(100) WHERE NOT ignore(sleepEachRow(0.5))
        SETTINGS max_block_size = 1";
    let query = store.query(sql).deadline(Duration::from_secs(1));
    let error = query.fetch_one::<u64>().await.unwrap_err();
    assert_eq!(error.server_code(), Some(159), "{error}");
    assert!(error.is_retryable());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_ignores_its_deadline_is_killed() {
    let store = support::store().await;
    execute(&store, "CREATE TABLE sink (n UInt64) ENGINE = Null").await;
    let id = Uuid::new_v4().to_string();
    let sql = "INSERT INTO sink SELECT number FROM system.numbers SETTINGS max_execution_time = 0";
    let endless = store.query(sql).query_id(&id);
    let endless = endless.deadline(Duration::from_millis(200));
    let error = endless.execute().await.unwrap_err();
    assert!(matches!(error, StoreError::TimedOut { .. }), "{error:?}");
    assert!(error.is_retryable());
    wait_for_query(&store, &id, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_select_ends_when_its_caller_goes_away() {
    let store = support::store().await;
    let id = Uuid::new_v4().to_string();
    let query = store
        .query("SELECT count() FROM system.numbers")
        .query_id(&id)
        .deadline(Duration::from_secs(300));
    let caller = tokio::spawn(query.fetch_one::<u64>());
    wait_for_query(&store, &id, true).await;
    caller.abort();
    wait_for_query(&store, &id, false).await;
}
