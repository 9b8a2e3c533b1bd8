//! Whatever the server does, an operation ends and says what it was.

use std::{error::Error, time::Duration};

use devstack::{PrivateStack, Server, StackConfig};
use metadata_store::{Config, Pool, StoreError, lanes, migrate};
use service_runtime::config::HumanDuration;
use tokio::{net::TcpListener, task::JoinHandle, time::Instant};
use tokio_postgres::Client;

use crate::database::{Database, until};

const LIMIT: Duration = Duration::from_secs(1);
/// What an operation may take beyond its statements.
const GRACE: Duration = Duration::from_secs(5);

/// Lets the lanes be read by nobody until the operator is gone.
async fn lock_lanes(database: &Database) -> Client {
    let operator = database.operator().await;
    let lock = "BEGIN; LOCK TABLE ingest_lane IN ACCESS EXCLUSIVE MODE";
    operator.batch_execute(lock).await.unwrap();
    operator
}

/// Asks for the lanes, and waits until the server waits for them.
async fn reading(
    database: &Database,
    pool: &Pool,
) -> JoinHandle<Result<Vec<lanes::Lane>, StoreError>> {
    let pool = pool.clone();
    let reading = tokio::spawn(async move { lanes::all(&pool).await });
    let waiting = "pg_locks WHERE NOT granted AND relation = 'ingest_lane'::regclass";
    let is_waiting = async || database.count(waiting).await > 0;
    until("the lanes are waited for", is_waiting).await;
    reading
}

fn causes(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_ends_the_operation_and_its_connection() {
    let starting = || PrivateStack::start(StackConfig::only(&[Server::Postgres]));
    let stack = tokio::task::spawn_blocking(starting)
        .await
        .unwrap()
        .unwrap();
    let database = Database::at(&stack.endpoints().postgres_url);
    migrate(&database.config).await.unwrap();
    let pool = database.hasty(1, LIMIT);
    let operator = lock_lanes(&database).await;
    let asked = Instant::now();
    let reading = reading(&database, &pool).await;
    stack.pause(Server::Postgres).unwrap();
    let failure = reading.await.unwrap().unwrap_err();
    assert!(asked.elapsed() >= LIMIT + GRACE);
    assert!(asked.elapsed() < LIMIT + 2 * GRACE, "{:?}", asked.elapsed());
    let text = failure.to_string();
    assert!(
        text.contains("cannot read the lanes in PostgreSQL") && text.contains("given up"),
        "{text}"
    );
    // nor does the next one wait for ever
    let next = lanes::all(&pool).await.unwrap_err();
    assert!(matches!(next, StoreError::Connect { .. }), "{next}");

    stack.resume(Server::Postgres).unwrap();
    drop(operator);
    let answers = async || lanes::all(&pool).await.is_ok();
    until("the pool has got over it", answers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("postgres://openride@{}/x", listener.local_addr().unwrap());
    let pool = Database::at(&silent).hasty(1, LIMIT);
    let asked = Instant::now();
    let failure = lanes::all(&pool).await.unwrap_err();
    assert!(asked.elapsed() < LIMIT + GRACE, "{:?}", asked.elapsed());
    assert!(matches!(failure, StoreError::Connect { .. }), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_is_ended_by_the_server_and_the_next_one_is_answered() {
    let database = Database::new().await;
    let pool = database.hasty(1, LIMIT);
    let operator = lock_lanes(&database).await;
    let failure = reading(&database, &pool).await.await.unwrap().unwrap_err();
    assert_eq!(
        causes(&failure),
        "cannot read the lanes in PostgreSQL: canceling statement due to statement timeout"
    );
    drop(operator);
    let answers = async || lanes::all(&pool).await.is_ok();
    until("the lanes are read", answers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_connection_is_told_what_it_was_for() {
    let database = Database::new().await;
    let busy = Pool::new(&Config {
        pool_size: 1,
        connect_timeout: HumanDuration::secs(1),
        ..database.config.clone()
    })
    .unwrap();
    let _operator = lock_lanes(&database).await;
    let first = reading(&database, &busy).await;
    let failure = busy.ping().await.unwrap_err();
    assert_eq!(failure.to_string(), "cannot connect to PostgreSQL to ping");
    assert!(!first.is_finished());
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_the_server_has_ended_are_replaced() {
    let database = Database::new().await;
    let pool = database.hasty(2, LIMIT);
    let (one, other) = tokio::join!(lanes::all(&pool), lanes::all(&pool));
    one.unwrap();
    other.unwrap();
    database
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    for _ in 0..3 {
        lanes::all(&pool).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_told_with_the_operation_and_no_password() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let nowhere = Database::at(&format!("postgres://openride:confided@{address}/x"));
    let failure = lanes::all(&nowhere.pool).await.unwrap_err();
    let text = causes(&failure);
    assert!(
        text.starts_with("cannot connect to PostgreSQL to read the lanes: "),
        "{text}"
    );
    assert!(!text.contains("confided"), "{text}");
}
