//! PostgreSQL that neither answers nor dies.

use crate::{
    admin_port::{is_live, with_admin_port},
    member::Program,
    own,
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
    let mut operator = Database::of(&platform).await;
    operator.lock("ingest_lane").await;
    platform.send(portions.next().unwrap());
    let mut watcher = Database::of(&platform).await;
    watcher.waited_for("ingest_lane").await;
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
