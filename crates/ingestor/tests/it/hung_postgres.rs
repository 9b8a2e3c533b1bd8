//! PostgreSQL that neither answers nor dies.

use crate::{
    admin_port::{is_live, with_admin_port},
    member::Program,
    own,
    platform::{Platform, until},
    postgres::Database,
    story::Story,
};
use devstack::Server;
use service_runtime::config::HumanDuration;
use std::time::Duration;
use tokio::time::Instant;

const STATEMENT_TIMEOUT: HumanDuration = HumanDuration::secs(2);
/// How long an operation may take with that.
const LIMIT: Duration = Duration::from_secs(2 + 5);
const GIVEN_UP: &str = "PostgreSQL has not answered in time; the connection is given up";

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
async fn a_member_outlives_a_postgres_that_hangs_and_loses_nothing() {
    let (mut platform, stack) = own::platform(Server::Postgres, 2).await;
    platform.config.postgres.statement_timeout = STATEMENT_TIMEOUT;
    let address = with_admin_port(&mut platform.config);
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
