//! Every table that batches write to is merged as steps 0010, 0015 and 0016 want it.

use event_store::{
    Store,
    migrations::{Rendering, apply},
};

use crate::support::{self, execute};

/// The tables in which each batch leaves a part, which are all but the migrator's own.
const WRITTEN: &str =
    "database = currentDatabase() AND engine LIKE '%MergeTree' AND NOT startsWith(name, 'schema_')";
/// What each of them is made with, or altered to.
const SETTINGS: [(&str, &str); 6] = [
    (
        "merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0",
        "true",
    ),
    ("min_parts_to_merge_at_once = 10", "true"),
    // where a fact waits, a bucket never becomes large
    (
        "merge_selector_base = 16",
        "NOT startsWith(name, 'waiting_')",
    ),
    ("min_age_to_force_merge_seconds = 3600", AGGREGATES),
    (
        "max_bytes_to_merge_at_max_space_in_pool = 2147483648",
        AGGREGATES,
    ),
    (
        "enable_max_bytes_limit_for_min_age_to_force_merge = 1",
        AGGREGATES,
    ),
];
/// Questions add up the rows of these.
const AGGREGATES: &str = "endsWith(name, '_state')";

/// The tables that lack a setting.
async fn careless(store: &Store) -> Vec<String> {
    let lacks = SETTINGS
        .map(|(setting, tables)| format!("({tables} AND position(engine_full, '{setting}') = 0)"));
    let sql = format!(
        "SELECT name FROM system.tables WHERE {WRITTEN} AND ({}) ORDER BY name",
        lacks.join(" OR ")
    );
    store.query(&sql).fetch_all().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_the_schema_is_merged_as_it_should_be() {
    let store = Store::connect(&support::config()).unwrap();
    let rendering = Rendering::single(store.database());
    apply(&store, &rendering).await.unwrap();
    let written = format!("(SELECT name FROM system.tables WHERE {WRITTEN})");
    assert!(support::count(&store, &written).await > 20);
    assert_eq!(careless(&store).await, Vec::<String>::new());

    let columns = "(n UInt64) ENGINE = AggregatingMergeTree ORDER BY n";
    let all = SETTINGS.map(|(setting, _)| setting).join(", ");
    let others = SETTINGS.iter().filter(|(_, tables)| *tables != AGGREGATES);
    let others: Vec<&str> = others.map(|(setting, _)| *setting).collect();
    for (name, settings) in [
        ("without_state", String::new()),
        ("with_some_state", format!("SETTINGS {}", others.join(", "))),
        ("with_some", format!("SETTINGS {}", others.join(", "))),
        ("with_one", format!("SETTINGS {}", others[0])),
        ("with_all_state", format!("SETTINGS {all}")),
    ] {
        execute(&store, &format!("CREATE TABLE {name} {columns} {settings}")).await;
    }
    let lacking = ["with_one", "with_some_state", "without_state"];
    assert_eq!(careless(&store).await, lacking);
}
