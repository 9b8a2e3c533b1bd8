use event_store::{Config, InsertSelect, Store, StoreError};
use uuid::Uuid;

use crate::support::{self, execute, numbers};

fn insert_into(table: &str) -> InsertSelect {
    let (input, body) = numbers(3);
    let sql = format!("INSERT INTO {table} SELECT n FROM {input}");
    InsertSelect::new(sql, Uuid::new_v4().to_string(), body)
}

/// Selects and inserts go their own ways to the server.
async fn errors_of_both_ways(store: &Store) -> [StoreError; 2] {
    let insert = store.insert_select(insert_into("numbers")).await;
    [store.ping().await.unwrap_err(), insert.unwrap_err()]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_table_is_permanent_and_the_error_says_what_and_where() {
    let store = support::store().await;
    let insert = insert_into("missing");
    let id = insert.query_id.clone();
    let error = store.insert_select(insert).await.unwrap_err();
    assert_eq!(error.server_code(), Some(60));
    assert!(!error.is_retryable());
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("insert `{id}`: the server refused it: Code: 60.")),
        "{text}"
    );

    let query = store.query("SELECT 1 FROM missing").named("bookings");
    let text = query.fetch_one::<u8>().await.unwrap_err().to_string();
    assert!(
        text.starts_with("select `bookings`: the server refused it: Code: 60."),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_parts_is_a_reason_to_wait() {
    let store = support::store().await;
    execute(
        &store,
        "CREATE TABLE numbers (n UInt64) ENGINE = MergeTree ORDER BY n
            SETTINGS parts_to_throw_insert = 2, parts_to_delay_insert = 0",
    )
    .await;
    execute(&store, "SYSTEM STOP MERGES numbers").await;
    for _ in 0..2 {
        store.insert_select(insert_into("numbers")).await.unwrap();
    }
    let error = store
        .insert_select(insert_into("numbers"))
        .await
        .unwrap_err();
    assert_eq!(error.server_code(), Some(252), "{error}");
    assert!(error.is_retryable());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_behind_a_good_status_is_an_error() {
    let store = support::store().await;
    // the first rows are on their way, and the status with them, long before the last is reached
    let sql = "SELECT number, throwIf(number = 2000000, 'late') FROM numbers(3000000)
        SETTINGS max_block_size = 1000, http_response_buffer_size = 0, max_threads = 1";
    let error = store.query(sql).fetch_bytes("TSV").await.unwrap_err();
    assert_eq!(error.server_code(), Some(395), "{error}");
    assert!(!error.is_fenced());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_unreachable_and_nothing_was_sent() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let config = Config {
        url: url.parse().unwrap(),
        ..Config::default()
    };
    let store = Store::connect(&config).unwrap();
    for error in errors_of_both_ways(&store).await {
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
        assert!(error.is_retryable());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_permanent_and_is_not_repeated_in_the_error() {
    let config = Config {
        password: "s3cret-and-wrong".into(),
        ..support::config()
    };
    let store = Store::connect(&config).unwrap();
    for error in errors_of_both_ways(&store).await {
        assert!(
            matches!(error.server_code(), Some(193 | 194 | 516)),
            "{error}"
        );
        assert!(!error.is_retryable());
        assert!(!format!("{error:?} {store:?}").contains("s3cret"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_answers_a_ping() {
    let store = Store::connect(&support::config()).unwrap();
    store.ping().await.unwrap();
}
