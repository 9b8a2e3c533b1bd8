use std::net::SocketAddr;

use event_store::{
    Buffers, Compression, Config, InsertSelect, Params, Store, StoreError,
    native::{Block, ColumnType},
};
use uuid::Uuid;

use crate::support::{self, Harm, count, execute, numbers, proxy};

const ROWS: u64 = 200_000;

fn insert_numbers(rows: u64) -> InsertSelect {
    let (input, body) = numbers(rows);
    let sql = format!("INSERT INTO numbers SELECT n FROM {input}");
    InsertSelect::new(sql, Uuid::new_v4().to_string(), body)
}

async fn with_numbers_table(config: &Config) -> Store {
    let store = support::store_of(config).await;
    execute(
        &store,
        "CREATE TABLE numbers (n UInt64) ENGINE = MergeTree ORDER BY n",
    )
    .await;
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_is_there_when_it_returns_compressed_or_not() {
    for insert_compression in [Compression::None, Compression::Lz4] {
        let config = Config {
            insert_compression,
            ..support::config()
        };
        let store = with_numbers_table(&config).await;
        store.insert_select(insert_numbers(ROWS)).await.unwrap();
        let sql = "SELECT count(), sum(n) FROM numbers";
        let (rows, sum): (u64, u64) = store.query(sql).fetch_one().await.unwrap();
        assert_eq!((rows, sum), (ROWS, ROWS * (ROWS - 1) / 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_insert_over_ten_years_makes_one_part_a_month() {
    let store = support::store().await;
    execute(
        &store,
        "CREATE TABLE events (at DateTime64(3, 'UTC')) ENGINE = MergeTree
            PARTITION BY toYYYYMM(at) ORDER BY at",
    )
    .await;
    execute(&store, "SYSTEM STOP MERGES events").await;
    let mut block = Block::new();
    let at = block.add("at", ColumnType::datetime64());
    for day in 0..3_650_i64 {
        block.set(at, day * 86_400_000);
        block.finish_row();
    }
    let body = block.take(&Buffers::default()).unwrap();
    let sql = format!("INSERT INTO events SELECT at FROM {}", block.input());
    let insert = InsertSelect::new(sql, Uuid::new_v4().to_string(), body);
    store.insert_select(insert).await.unwrap();
    let sql = "SELECT count(), uniqExact(partition) FROM system.parts
        WHERE database = currentDatabase() AND table = 'events' AND active";
    let (parts, months): (u64, u64) = store.query(sql).fetch_one().await.unwrap();
    assert_eq!((parts, months), (120, 120));
}

fn address(config: &Config) -> SocketAddr {
    let port = config.url.port().unwrap();
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A client of the same database whose connection is harmed.
async fn harmed(store: &Store, harm: Harm) -> (Store, tokio::task::JoinHandle<()>) {
    let (proxy, task) = proxy(address(store.config()), harm).await;
    let config = Config {
        url: format!("http://{proxy}").parse().unwrap(),
        ..store.config().clone()
    };
    (Store::connect(&config).unwrap(), task)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_body_leaves_nothing_and_says_that_it_does_not_know() {
    let store = with_numbers_table(&support::config()).await;
    let (harmed, task) = harmed(&store, Harm::TearRequest(400_000)).await;
    let insert = insert_numbers(ROWS);
    let id = insert.query_id.clone();
    let error = harmed.insert_select(insert).await.unwrap_err();
    task.await.unwrap();
    assert!(matches!(error, StoreError::Lost { .. }), "{error:?}");
    assert!(error.is_retryable());
    support::wait_for_query(&store, &id, false).await;
    assert_eq!(count(&store, "numbers").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_says_that_it_does_not_know_though_all_was_written() {
    let store = with_numbers_table(&support::config()).await;
    let (harmed, task) = harmed(&store, Harm::LoseReply).await;
    let error = harmed
        .insert_select(insert_numbers(ROWS))
        .await
        .unwrap_err();
    task.await.unwrap();
    assert!(matches!(error, StoreError::Lost { .. }), "{error:?}");
    assert_eq!(count(&store, "numbers").await, ROWS);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_that_one_view_fails_is_an_error() {
    let store = with_numbers_table(&support::config()).await;
    execute(
        &store,
        "CREATE TABLE doubled (n UInt64) ENGINE = MergeTree ORDER BY n",
    )
    .await;
    execute(
        &store,
        "CREATE MATERIALIZED VIEW to_doubled TO doubled AS
            SELECT n * 2 + throwIf(n = 77777, 'a view that throws') AS n FROM numbers",
    )
    .await;
    let error = store.insert_select(insert_numbers(ROWS)).await.unwrap_err();
    assert_eq!(error.server_code(), Some(395));
    assert!(!error.is_fenced());
    assert_eq!(count(&store, "doubled").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn pinned_settings_and_the_request_are_not_the_callers_to_change() {
    let store = with_numbers_table(&support::config()).await;
    for name in [
        "async_insert",
        "max_insert_threads",
        "wait_end_of_query",
        "query_id",
    ] {
        let insert = insert_numbers(1).setting(name, 1);
        let error = store.insert_select(insert).await.unwrap_err();
        assert!(matches!(error, StoreError::Request { .. }), "{name}");
    }
    assert_eq!(count(&store, "numbers").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_of_an_insert_arrive_as_they_are() {
    let store = support::store().await;
    execute(&store, "CREATE TABLE texts (text String) ENGINE = Memory").await;
    let text = "tab\t nl\n cr\r back\\slash 'quote' {brace} & % + ?= ọ\0";
    let (input, body) = numbers(1);
    let sql = format!("INSERT INTO texts SELECT {{text:String}} FROM {input};\n");
    let insert = InsertSelect::new(sql, Uuid::new_v4().to_string(), body);
    let insert = insert.params(Params::new().with("text", text));
    store.insert_select(insert).await.unwrap();
    let stored: String = store
        .query("SELECT text FROM texts")
        .fetch_one()
        .await
        .unwrap();
    assert_eq!(stored, text);
}
