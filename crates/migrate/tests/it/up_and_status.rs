use event_store::{
    Params, Store,
    migrations::{Rendering, State, apply_steps, embedded},
};
use migrate::{Applied, status, up};
use service_runtime::config::{HumanDuration, Secret};

use crate::stores;

#[tokio::test(flavor = "multi_thread")]
async fn the_second_run_finds_nothing_to_do_and_the_status_tells_so() {
    let config = stores::config().await;
    let before = status(&config).await.unwrap();
    assert!(!before.is_up_to_date());
    assert!(
        before
            .clickhouse
            .iter()
            .all(|step| step.state == State::Pending),
        "{before}"
    );

    let applied = up(&config).await.unwrap();
    assert_eq!(applied.postgres.len(), before.postgres_pending.len());
    assert_eq!(applied.clickhouse.len(), before.clickhouse.len());
    assert!(!applied.postgres.is_empty() && !applied.clickhouse.is_empty());

    assert_eq!(up(&config).await.unwrap(), Applied::default());
    let after = status(&config).await.unwrap();
    assert!(after.is_up_to_date(), "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_at_once_end_with_the_same_schema() {
    let config = stores::config().await;
    let runs = tokio::join!(up(&config), up(&config), up(&config));
    let applied = [runs.0.unwrap(), runs.1.unwrap(), runs.2.unwrap()];
    let postgres: usize = applied.iter().map(|run| run.postgres.len()).sum();
    let expected = up(&stores::config().await).await.unwrap().postgres.len();
    assert_eq!(
        postgres, expected,
        "each of PostgreSQL's migrations is applied by one run"
    );
    assert!(status(&config).await.unwrap().is_up_to_date());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_only_a_newer_version_knows_does_not_stand_in_the_way() {
    let config = stores::config().await;
    up(&config).await.unwrap();
    let newer = "INSERT INTO schema_migrations (version, title, checksum, applied_at)
        SELECT 9999, 'of_the_future', 'x', now64(3)";
    let store = Store::connect(&config.clickhouse).unwrap();
    store.execute(newer, &Params::new()).await.unwrap();
    assert_eq!(up(&config).await.unwrap(), Applied::default());
    let status = status(&config).await.unwrap();
    assert!(status.is_up_to_date(), "{status}");
    assert!(
        status
            .to_string()
            .contains("9999_of_the_future: unknown to this version"),
        "{status}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgresql_clickhouse_is_not_touched() {
    let mut config = stores::config().await;
    let postgres = config.postgres.url;
    config.postgres.url = Secret::from("postgres://openride@127.0.0.1:1/nowhere");
    let error = format!("{:#}", up(&config).await.unwrap_err());
    assert!(error.contains("PostgreSQL is not migrated"), "{error}");
    config.postgres.url = postgres;
    let status = status(&config).await.unwrap();
    assert!(
        status
            .clickhouse
            .iter()
            .all(|step| step.state == State::Pending),
        "{status}"
    );
}

/// As if much had been stored per quarter of an hour: reading it takes two and a half seconds.
const MUCH: &str = "CREATE VIEW user_activity_state AS
    SELECT generateUUIDv4() AS mark, now() AS marked_at, 'total' AS scope, '' AS state, '' AS city,
        toDateTime(0, 'UTC') AS slot, generateUUIDv4() AS user_id
    FROM numbers(5) WHERE sleepEachRow(0.5) = 0 SETTINGS max_block_size = 1";

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_may_take_longer_than_a_query() {
    let mut config = stores::config().await;
    let store = Store::connect(&config.clickhouse).unwrap();
    let rendering = Rendering::single(&config.clickhouse.database);
    let before_it_is_moved = &embedded().unwrap()[..11];
    apply_steps(&store, &rendering, before_it_is_moved)
        .await
        .unwrap();
    for sql in ["DROP TABLE user_activity_state SYNC", MUCH] {
        store.execute(sql, &Params::new()).await.unwrap();
    }

    config.clickhouse.request_timeout = HumanDuration::secs(1);
    config.migration.clickhouse = HumanDuration::secs(1);
    let error = format!("{:#}", up(&config).await.unwrap_err());
    assert!(error.contains("0012_user_days/02_"), "{error}");

    config.migration.clickhouse = HumanDuration::secs(60);
    let applied = up(&config).await.unwrap().clickhouse;
    assert_eq!(applied[0], "0012_user_days");
    assert!(status(&config).await.unwrap().is_up_to_date());
}
