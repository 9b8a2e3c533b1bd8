//! The network between a member and a server is interrupted, and heals.

use crate::{
    admin_port::{is_ready, with_admin_port},
    member::Program,
    platform::{Platform, until},
    postgres::Database,
    story::Story,
};
use devstack::{Flow, Wire};
use ingestor::Config;
use metadata_store::{Pool, settlings};
use service_runtime::{
    clock::{Clock, SystemClock},
    config::HumanDuration,
};

/// A way to the ClickHouse of the platform, with the settings of a member that is reached by it only.
async fn to_clickhouse(platform: &Platform) -> (Wire, Config) {
    let mut config = platform.config.clone();
    let (wire, through) = Wire::to(config.clickhouse.url.as_str()).await.unwrap();
    config.clickhouse.url = through.parse().unwrap();
    (wire, config)
}

/// The same to PostgreSQL.
async fn to_postgres(platform: &Platform) -> (Wire, Config) {
    let mut config = platform.config.clone();
    let (wire, through) = Wire::to(config.postgres.url.expose()).await.unwrap();
    config.postgres.url = through.into();
    (wire, config)
}

/// A member under load whose way is cut in these ways, one after the other, and healed each time.
async fn interrupted(
    platform: &Platform,
    (wire, mut config): (Wire, Config),
    cuts: &[Flow],
    seed: u64,
) {
    let address = with_admin_port(&mut config);
    // given up while the way is still cut, so that all of it comes late
    config.clickhouse.request_timeout = HumanDuration::secs(2);
    config.clickhouse.insert_timeout = HumanDuration::secs(6);
    let story = Story::new(seed, 60 * cuts.len() as u64);
    let member = Program::start(&config);
    platform.owned_by(1).await;
    for (portion, cut) in story.portions(cuts.len()).zip(cuts) {
        assert!(
            until(async || is_ready(&address).await).await,
            "not ready: {}",
            member.log()
        );
        let (before, during) = split(portion);
        platform.send(before);
        wire.set(*cut);
        platform.send(during);
        let noticed = until(async || !is_ready(&address).await).await;
        assert!(
            noticed,
            "ready though {cut:?} gets through: {}",
            member.log()
        );
        wire.set(Flow::Both);
    }
    platform.drained(story.len()).await;
    member.stop();
    story.assert_told(platform).await;
}

fn split<'a, T>(all: impl Iterator<Item = &'a T>) -> (Vec<&'a T>, Vec<&'a T>) {
    let mut before: Vec<_> = all.collect();
    let during = before.split_off(before.len() / 2);
    (before, during)
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_out_of_reach_loses_and_doubles_nothing() {
    let platform = Platform::new(2).await;
    let way = to_clickhouse(&platform).await;
    let cuts = [Flow::Neither, Flow::OnlyToServer, Flow::OnlyToClient];
    interrupted(&platform, way, &cuts, 101).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_out_of_reach_loses_and_doubles_nothing() {
    let platform = Platform::new(2).await;
    let way = to_postgres(&platform).await;
    let cuts = [Flow::Neither, Flow::OnlyToServer, Flow::OnlyToClient];
    interrupted(&platform, way, &cuts, 102).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_member_out_of_reach_has_locked_in_postgres_is_free_again_soon() {
    let platform = Platform::new(1).await;
    let (wire, mut config) = to_postgres(&platform).await;
    config.postgres.statement_timeout = HumanDuration::secs(2);
    let (far, now) = (Pool::new(&config.postgres).unwrap(), SystemClock.now());
    let (mut operator, mut watcher) =
        (Database::of(&platform).await, Database::of(&platform).await);
    operator.lock("ingest_batch").await;
    let raising = tokio::spawn(async move { settlings::raise_horizon(&far, now).await });
    // it has locked the horizon, and asks which batches are open
    watcher.waited_for("ingest_batch").await;
    wire.set(Flow::OnlyToClient);
    operator.execute("COMMIT").await;
    let raised = until(async || settlings::raise_horizon(&platform.pool, now).await.is_ok());
    assert!(raised.await, "the horizon stays locked");
    assert!(raising.await.unwrap().is_err());
}
