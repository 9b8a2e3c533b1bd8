use devstack::{PrivateStack, Server, StackConfig};
use event_store::{Config, InsertSelect, Store, StoreError};
use uuid::Uuid;

use crate::support::{self, count, execute, numbers, wait_for_query};

/// A server of one's own with a table in it.
async fn own_server() -> (PrivateStack, Store) {
    let stack = PrivateStack::start(StackConfig::only(&[Server::ClickHouse])).unwrap();
    let config = Config {
        url: stack.endpoints().clickhouse_http.parse().unwrap(),
        database: "outages".to_owned(),
        ..Config::default()
    };
    let store = support::store_of(&config).await;
    let create = "CREATE TABLE numbers (n UInt64) ENGINE = MergeTree ORDER BY n";
    execute(&store, create).await;
    (stack, store)
}

fn insert(column: &str, rows: u64) -> InsertSelect {
    let (input, body) = numbers(rows);
    let sql = format!("INSERT INTO numbers SELECT {column} FROM {input}");
    InsertSelect::new(sql, Uuid::new_v4().to_string(), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_a_reason_to_wait_and_nothing_is_there() {
    let (stack, store) = own_server().await;
    let fault = ["-e", "trace=rename", "-e", "inject=rename:error=ENOSPC"];
    let tracer = stack.attach_strace(Server::ClickHouse, &fault).unwrap();
    let error = store.insert_select(insert("n", 10)).await.unwrap_err();
    tracer.detach().unwrap();
    assert!(matches!(error, StoreError::Server { .. }), "{error:?}");
    assert!(error.is_retryable(), "{error}");
    assert_eq!(count(&store, "numbers").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_during_an_insert_leaves_its_outcome_unknown() {
    let (stack, store) = own_server().await;
    let slow = insert("n + sleepEachRow(0.1)", 25);
    let id = slow.query_id.clone();
    let sender = store.clone();
    let running = tokio::spawn(async move { sender.insert_select(slow).await });
    wait_for_query(&store, &id, true).await;
    stack.kill(Server::ClickHouse).unwrap();
    let error = running.await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Lost { .. }), "{error:?}");
    assert!(error.is_retryable());

    stack.restart(Server::ClickHouse).unwrap();
    store.insert_select(insert("n", 10)).await.unwrap();
    assert_eq!(count(&store, "numbers").await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_of_one_statement_is_told_from_that_of_all() {
    let (_stack, store) = own_server().await;
    let much = || store.query("SELECT length(groupArray(number)) FROM numbers(10000000)");
    let own = much().memory(1 << 20).fetch_one::<u64>().await;
    assert!(own.unwrap_err().is_over_its_memory());
    let shared = much().setting("max_memory_usage_for_user", 1 << 20);
    let error = shared.fetch_one::<u64>().await.unwrap_err();
    assert_eq!(error.server_code(), Some(241), "{error}");
    assert!(!error.is_over_its_memory());
}
