//! Whether the schema is still what the migrations made.

use crate::support;
use event_store::{
    Params, Store,
    migrations::{Rendering, apply},
    shape::{self, Seen, ShapeError, Watch},
};
use std::time::{Duration, Instant};
use tokio::time::sleep;

async fn migrated() -> Store {
    let store = Store::connect(&support::config()).unwrap();
    let rendering = Rendering::single(store.database());
    apply(&store, &rendering).await.unwrap();
    store
}

async fn execute(store: &Store, sql: &str) {
    store.execute(sql, &Params::new()).await.unwrap();
}

/// A watch that need not look at everything again.
async fn watch(store: &Store) -> Watch {
    let watch = Watch::default();
    // until then a definition may change unseen
    let is_lasting = "SELECT max(metadata_modification_time) < now() - INTERVAL 2 SECOND FROM system.tables \
        WHERE database = currentDatabase()";
    let began = Instant::now();
    while !store.query(is_lasting).fetch_one::<bool>().await.unwrap() {
        assert!(began.elapsed() < Duration::from_secs(30));
        sleep(Duration::from_millis(100)).await;
    }
    watch.check(store).await.unwrap();
    watch
}

async fn missing(watch: &Watch, store: &Store) -> Vec<String> {
    match watch.check(store).await {
        Err(ShapeError::Changed { missing }) => missing,
        _ => Vec::new(),
    }
}

async fn assert_changed_since(watch: &Watch, store: &Store, before: Seen) {
    let seen = watch.check_since(store, before).await;
    assert!(
        matches!(seen, Err(ShapeError::ChangedMeanwhile)),
        "{seen:?}"
    );
    let after = watch.check(store).await.unwrap();
    watch.check_since(store, after).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_changes_is_seen_by_a_watch() {
    let store = migrated().await;
    let watch = watch(&store).await;
    let view: String = store
        .query("SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = 'trip_progress_from_trip'")
        .fetch_one()
        .await
        .unwrap();
    let before = watch.check(&store).await.unwrap();
    execute(&store, "DROP TABLE trip_progress_from_trip").await;
    execute(&store, &view).await;
    assert_changed_since(&watch, &store, before).await;
    // where rows go through views, and where they go at once
    for table in ["events_raw", "ingest_ledger", "settlements"] {
        let before = watch.check(&store).await.unwrap();
        execute(&store, &format!("CREATE TABLE {table}_2 AS {table}")).await;
        execute(&store, &format!("EXCHANGE TABLES {table}_2 AND {table}")).await;
        assert_changed_since(&watch, &store, before).await;
    }
    execute(&store, "ALTER TABLE duplicates DROP COLUMN event_id").await;
    assert!(watch.check(&store).await.is_ok(), "no view feeds it");
    execute(
        &store,
        "ALTER TABLE trip_events DROP COLUMN passengers_count",
    )
    .await;
    let gone = missing(&watch, &store).await;
    assert!(
        gone.first()
            .is_some_and(|line| line.starts_with("column passengers_count of trip_events")),
        "{gone:?}"
    );
    execute(&store, "DROP TABLE trip_progress_from_trip").await;
    let gone = missing(&watch, &store).await;
    assert!(
        gone.first()
            .is_some_and(|line| line.starts_with("view trip_progress_from_trip")),
        "{gone:?}"
    );
    execute(&store, &view).await;
    let gone = missing(&watch, &store).await;
    assert!(
        gone.first()
            .is_some_and(|line| line.starts_with("column passengers_count")),
        "{gone:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_well_is_not_looked_at_again_while_no_definition_changes() {
    let store = migrated().await;
    let watch = watch(&store).await;
    let more = "ALTER TABLE schema_shape UPDATE shape = concat(shape, '\\nview v from in_trip to t') WHERE true \
        SETTINGS mutations_sync = 1";
    execute(&store, more).await;
    assert!(shape::check(&store).await.is_err());
    watch.check(&store).await.unwrap();
    assert!(Watch::default().check(&store).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_event_passes_through_may_change() {
    let store = migrated().await;
    let theirs = "CREATE OR REPLACE TABLE theirs (n UInt8) ENGINE = Null";
    execute(&store, theirs).await;
    let watch = watch(&store).await;
    for change in [
        "CREATE TABLE ingest_probe_0_in (n UInt8) ENGINE = Null",
        theirs,
        "CREATE MATERIALIZED VIEW from_ours TO theirs AS SELECT 1 AS n FROM trip_events",
        "DROP TABLE from_ours",
        "DROP TABLE theirs",
    ] {
        let before = watch.check(&store).await.unwrap();
        execute(&store, change).await;
        let seen = watch.check_since(&store, before).await;
        assert!(seen.is_ok(), "{change}: {seen:?}");
    }
}
