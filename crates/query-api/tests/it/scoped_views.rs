//! ClickHouse itself shows who sees some regions only nothing of another.

use std::collections::BTreeSet;

use event_store::{Params, ScopedStore, ScopedUser, Store};
use shared_schema::access::Scope;

use crate::{
    callers::{LAGOS, guarded, scope},
    story::Story,
};

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_shows_a_query_without_a_filter_nothing_of_another_region() {
    let story = Story::of(34, 3, 600);
    let config = guarded().await;
    let api = story.settled_in(&config).await;
    let Scope::Within(places) = scope(LAGOS) else {
        panic!("it names a place")
    };
    let (user, store) = (ScopedUser::default(), &api.store);
    let lagos = ScopedStore::new(store, &user, &places);
    let nothing = ScopedStore::new(store, &user, &BTreeSet::new());
    let database = format!("scoped_{}", config.clickhouse.database);
    let views: Vec<(String, bool)> = store
        .query(
            "SELECT name, name IN (SELECT table FROM system.columns WHERE database = {database:String} \
             AND name = 'state') FROM system.tables WHERE database = {database:String}",
        )
        .param("database", &database)
        .fetch_all()
        .await
        .unwrap();
    assert!(views.len() > 15, "{views:?}");
    let mut rows = 0;
    for (view, has_state) in &views {
        let count = format!("SELECT count() FROM {view}");
        let shown: u64 = lagos.query(&count).fetch_one().await.unwrap();
        assert_eq!(
            nothing.query(&count).fetch_one::<u64>().await.unwrap(),
            0,
            "{view}"
        );
        rows += shown;
        if *has_state {
            let states = format!("SELECT DISTINCT toString(state) FROM {view}");
            let states: Vec<String> = lagos.query(&states).fetch_all().await.unwrap();
            let foreign = |state: &&String| !["", "Lagos"].contains(&state.as_str());
            assert_eq!(states.iter().find(foreign), None, "{view}");
            // a condition of the reader's is tried on no row that is not shown
            let tried = format!(
                "SELECT count() FROM {view} WHERE throwIf(state NOT IN ('', 'Lagos'), 'seen') = 0"
            );
            let tried: u64 = lagos.query(&tried).fetch_one().await.unwrap();
            assert_eq!(tried, shown, "{view}");
        }
    }
    assert!(rows > 2_000, "{rows}");
    for (refused, code) in [
        (
            format!(
                "SELECT count() FROM {}.booking_events",
                config.clickhouse.database
            ),
            497,
        ),
        (
            format!(
                "SELECT count() FROM {}.agg_bookings",
                config.clickhouse.database
            ),
            497,
        ),
        ("SELECT count() FROM system.processes".to_owned(), 497),
        (
            "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')".to_owned(),
            497,
        ),
        (
            "SELECT count() FROM users SETTINGS readonly = 0".to_owned(),
            164,
        ),
        ("SELECT phone FROM user_events".to_owned(), 47),
    ] {
        let error = lagos.query(&refused).fetch_all::<u64>().await.unwrap_err();
        assert_eq!(error.server_code(), Some(code), "{refused}: {error}");
    }
    let error = lagos.query("DROP VIEW users").execute().await.unwrap_err();
    assert_eq!(error.server_code(), Some(497), "{error}");
}

/// What the views tell is what there is in the tables.
#[tokio::test(flavor = "multi_thread")]
async fn the_views_have_the_columns_of_what_they_stand_for() {
    let config = guarded().await;
    let store = Store::connect(&config.clickhouse).unwrap();
    let (database, scoped) = (
        config.clickhouse.database.clone(),
        format!("scoped_{}", config.clickhouse.database),
    );
    let missing: Vec<String> = store
        .query(
            "SELECT concat(table, '.', name) FROM system.columns WHERE database = {database:String} \
             AND table IN (SELECT name FROM system.tables WHERE database = {scoped:String}) \
             AND (table, name) NOT IN (SELECT table, name FROM system.columns WHERE database = {scoped:String}) \
             ORDER BY 1",
        )
        .params(&Params::new().with("database", &database).with("scoped", &scoped))
        .fetch_all()
        .await
        .unwrap();
    let personal = [
        "email",
        "full_name",
        "phone",
        "verification_notes",
        "verified_by",
    ];
    let personal: Vec<String> = personal.map(|name| format!("user_events.{name}")).into();
    assert_eq!(missing, personal);
}
