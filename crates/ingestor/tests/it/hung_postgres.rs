//! PostgreSQL that neither answers nor dies.

use crate::{
    member::Program,
    own,
    platform::{Platform, until},
    postgres::Database,
    readiness,
    story::Story,
};
use devstack::Server;
use metadata_store::{Pool, StoreError, lanes};
use service_runtime::config::HumanDuration;
use std::{error::Error, time::Duration};
use tokio::time::Instant;

const STATEMENT_TIMEOUT: HumanDuration = HumanDuration::secs(2);
/// How long an operation may take with that.
const LIMIT: Duration = Duration::from_secs(2 + 5);
const GIVEN_UP: &str = "PostgreSQL has not answered in time; the connection is given up";

async fn is_live(address: &str) -> bool {
    let url = format!("http://{address}/health/live");
    let asked = tokio::task::spawn_blocking(move || ureq::get(&url).call().is_ok());
    asked.await.unwrap()
}

/// Lets the lanes be read by nobody until it is rolled back.
async fn lock_lanes(platform: &Platform) -> Database {
    let mut operator = Database::of(platform).await;
    operator
        .execute("BEGIN; LOCK TABLE ingest_lane IN ACCESS EXCLUSIVE MODE")
        .await;
    operator
}

/// Waits until a statement on the server waits for the lanes.
async fn lanes_are_waited_for(platform: &Platform) {
    let mut watcher = Database::of(platform).await;
    let waiting = async || {
        watcher
            .count("pg_locks WHERE NOT granted AND relation = 'ingest_lane'::regclass")
            .await
            > 0
    };
    assert!(until(waiting).await, "nobody waits for the lanes");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_on_a_server_that_hangs_ends_and_takes_its_connection_with_it() {
    let (platform, stack) = own::platform(Server::Postgres, 1).await;
    let mut config = platform.config.postgres.clone();
    config.statement_timeout = STATEMENT_TIMEOUT;
    config.pool_size = 1;
    let pool = Pool::new(&config).unwrap();
    let mut operator = lock_lanes(&platform).await;
    let asked = Instant::now();
    let reading = tokio::spawn({
        let pool = pool.clone();
        async move { lanes::all(&pool).await }
    });
    lanes_are_waited_for(&platform).await;
    stack.pause(Server::Postgres).unwrap();
    let failure = reading.await.unwrap().unwrap_err();
    assert!(asked.elapsed() >= STATEMENT_TIMEOUT.get());
    assert!(
        asked.elapsed() < LIMIT + Duration::from_secs(3),
        "{:?}",
        asked.elapsed()
    );
    assert!(failure.to_string().contains("given up"), "{failure}");
    assert!(failure.is_retryable());
    // nor does the next one wait for ever
    let next = lanes::all(&pool).await.unwrap_err();
    assert!(matches!(next, StoreError::Connect { .. }), "{next}");

    stack.resume(Server::Postgres).unwrap();
    operator.execute("ROLLBACK").await;
    let answers = async || lanes::all(&pool).await.is_ok();
    assert!(
        until(answers).await,
        "the pool has not got over it: {:?}",
        next.source()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_outlives_a_postgres_that_hangs_and_loses_nothing() {
    let (mut platform, stack) = own::platform(Server::Postgres, 2).await;
    platform.config.postgres.statement_timeout = STATEMENT_TIMEOUT;
    let address = readiness::with_admin_port(&mut platform.config);
    let story = Story::new(181, 300);
    let mut portions = story.portions(3);
    let member = Program::start(&platform.config);
    platform.owned_by(1).await;
    platform.send(portions.next().unwrap());
    platform.drained(100).await;
    // what the member asks for next is under way when the server is halted
    let mut operator = lock_lanes(&platform).await;
    platform.send(portions.next().unwrap());
    lanes_are_waited_for(&platform).await;
    stack.pause(Server::Postgres).unwrap();
    let halted = Instant::now();
    platform.send(portions.next().unwrap());
    while halted.elapsed() < 2 * LIMIT {
        assert!(is_live(&address).await, "{}", member.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(member.log().contains(GIVEN_UP), "{}", member.log());
    stack.resume(Server::Postgres).unwrap();
    operator.execute("ROLLBACK").await;
    platform.drained(story.len()).await;
    member.stop();
    story.assert_told(&platform).await;
}
