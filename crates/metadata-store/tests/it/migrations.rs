//! PostgreSQL's schema is made once, whoever makes it.

use std::time::Duration;

use futures::future::join_all;
use metadata_store::{Config, StoreError, migrate, pending_migrations};
use service_runtime::config::HumanDuration;

use crate::database::Database;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_applied_once_and_then_nothing_is_missing() {
    let database = Database::empty().await;
    let pending = pending_migrations(&database.config).await.unwrap();
    assert!(!pending.is_empty());
    assert_eq!(
        database
            .count("pg_tables WHERE tablename = 'ingest_lane'")
            .await,
        0
    );
    let applied = migrate(&database.config).await.unwrap();
    assert_eq!(applied.len(), pending.len());
    let none = Vec::<String>::new();
    assert_eq!(migrate(&database.config).await.unwrap(), none);
    assert_eq!(pending_migrations(&database.config).await.unwrap(), none);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_migrate_at_once_each_step_is_applied_by_one() {
    let database = Database::empty().await;
    let expected = pending_migrations(&database.config).await.unwrap().len();
    let runs = join_all((0..5).map(|_| migrate(&database.config))).await;
    let applied: usize = runs.into_iter().map(|run| run.unwrap().len()).sum();
    assert_eq!(applied, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_is_told_and_leaves_nothing_behind() {
    let database = Database::empty().await;
    // in the way of the first step's last table
    let in_the_way = "CREATE TABLE settle_horizon ()";
    database.execute(in_the_way).await;
    let error = migrate(&database.config).await.unwrap_err();
    assert!(matches!(error, StoreError::Migrate(_)), "{error}");
    let text = error.to_string();
    assert!(
        text.starts_with("cannot migrate PostgreSQL: ")
            && text.contains("relation \"settle_horizon\" already exists"),
        "{text}"
    );
    assert_eq!(
        database
            .count("pg_tables WHERE tablename = 'ingest_lane'")
            .await,
        0
    );
    database.execute("DROP TABLE settle_horizon").await;
    assert!(!migrate(&database.config).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_of_another_that_does_not_end_is_waited_for_only_so_long() {
    let database = Database::empty().await;
    let config = Config {
        statement_timeout: HumanDuration::millis(500),
        ..database.config.clone()
    };
    let other = database.operator().await;
    // the key of migrations, in decimal
    let lock = format!(
        "SELECT pg_advisory_lock({})",
        i64::from_be_bytes(*b"openride")
    );
    other.batch_execute(&lock).await.unwrap();
    let waiting = tokio::time::timeout(Duration::from_secs(10), migrate(&config));
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot take the migration lock in PostgreSQL"
    );
    drop(other);
    assert!(!migrate(&database.config).await.unwrap().is_empty());
}
