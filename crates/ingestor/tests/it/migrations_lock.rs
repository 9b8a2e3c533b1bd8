//! A schema is changed while no batch is open, whatever the members do.

use crate::{
    member::Program,
    platform::{Platform, until},
    proxy::Fault,
    settling::assert_settled,
    story::Story,
};
use metadata_store::{StoreError, batches, quiet};
use migrate::Applied;
use service_runtime::config::HumanDuration;
use std::time::Duration;

const HELD_UP: &str = "a migration is under way; no batch is opened before it is over";
const PATIENCE: Duration = Duration::from_secs(60);

fn migration(platform: &Platform) -> migrate::Config {
    migrate::Config {
        clickhouse: platform.config.clickhouse.clone(),
        postgres: platform.config.postgres.clone(),
        ..migrate::Config::default()
    }
}

/// Forgets that the last step was run; it may run any number of times. Returns its name.
async fn forget_last_step(platform: &Platform) -> String {
    let config = migration(platform);
    let last = migrate::status(&config).await.unwrap().clickhouse.pop();
    let last = last.unwrap().step;
    let forget = "ALTER TABLE schema_migrations DELETE \
        WHERE version = (SELECT max(version) FROM schema_migrations) SETTINGS mutations_sync = 1";
    platform.execute(forget).await;
    assert!(!migrate::status(&config).await.unwrap().is_up_to_date());
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_opens_nothing_during_a_migration_and_then_goes_on() {
    let platform = Platform::new(2).await;
    let story = Story::new(191, 200);
    let mut portions = story.portions(2);
    let member = Program::start(&platform.config);
    platform.send(portions.next().unwrap());
    platform.drained(100).await;
    let postgres = &platform.config.postgres;
    let held = quiet::take(postgres, PATIENCE).await.unwrap();
    platform.send(portions.next().unwrap());
    let is_held_up = async || member.log().contains(HELD_UP);
    assert!(until(is_held_up).await, "{}", member.log());
    // another one has to wait as well
    let second = quiet::take(postgres, Duration::from_secs(2)).await;
    assert!(matches!(
        second.err(),
        Some(StoreError::MigrationUnderWay { .. })
    ));
    assert_eq!(batches::open(&platform.pool).await.unwrap(), []);
    assert!(!platform.is_drained(story.len()).await);
    assert_eq!(member.log().matches(HELD_UP).count(), 1);
    drop(held);
    assert_settled(&platform, &story, member).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_is_changed_under_traffic_and_nothing_is_lost() {
    let mut platform = Platform::new(2).await;
    // there is always a batch on its way
    platform.config.batch.max_rows = 100;
    let story = Story::new(192, 300);
    platform.send(story.records());
    let member = Program::start(&platform.config);
    platform.drained(100).await;
    for _ in 0..3 {
        let last = forget_last_step(&platform).await;
        let applied = migrate::up(&migration(&platform)).await.unwrap();
        assert_eq!(applied.clickhouse, [last]);
    }
    assert!(!platform.is_drained(story.len()).await, "no traffic");
    assert_settled(&platform, &story, member).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_nobody_finishes_ends_the_migration_with_its_name() {
    let platform = Platform::new(2).await;
    let story = Story::new(193, 100);
    let hold = Fault::Hold(0);
    let (dead, proxy) = Program::struck(&platform, ".in_payment", hold, story.records()).await;
    let batch = platform.opened().await;
    dead.kill();
    let owner = batches::load(&platform.pool, batch)
        .await
        .unwrap()
        .batch
        .owner;

    let mut config = migration(&platform);
    config.migration.patience = HumanDuration::secs(2);
    // where nothing is missing, nothing is waited for
    assert_eq!(migrate::up(&config).await.unwrap(), Applied::default());
    let last = forget_last_step(&platform).await;
    let failure = migrate::up(&config).await.unwrap_err();
    let text = format!("{failure:#}");
    assert!(
        text.contains(&format!("batch {batch} of {owner}, open for ")),
        "{text}"
    );
    assert!(text.contains("migrate again"), "{text}");
    assert!(!migrate::status(&config).await.unwrap().is_up_to_date());

    let member = platform.start();
    platform.drained(story.len()).await;
    // what is being settled is waited for, too
    let applied = migrate::up(&migration(&platform)).await.unwrap();
    assert_eq!(applied.clickhouse, [last]);
    member.stop().await;
    story.assert_told(&platform).await;
    proxy.heal();
    proxy.over().await;
    story.assert_told(&platform).await;
}
