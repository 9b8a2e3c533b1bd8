//! Every table that batches write to is merged as steps 0010 and 0015 want it.

use event_store::{
    Store,
    migrations::{Rendering, apply},
};

use crate::support::{self, execute};

/// The tables in which each batch leaves a part, which are all but the migrator's own.
const WRITTEN: &str =
    "database = currentDatabase() AND engine LIKE '%MergeTree' AND NOT startsWith(name, 'schema_')";
/// What each of them is made with, or altered to.
const SETTINGS: [&str; 3] = [
    "merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0",
    "min_parts_to_merge_at_once = 10",
    LIKE_WITH_LIKE,
];
/// Not needed where a fact waits: a bucket never becomes large.
const LIKE_WITH_LIKE: &str = "merge_selector_base = 16";

/// The tables that lack a setting.
async fn careless(store: &Store) -> Vec<String> {
    let has = SETTINGS.map(|setting| {
        let needless = setting == LIKE_WITH_LIKE;
        format!("(position(engine_full, '{setting}') > 0 OR ({needless} AND startsWith(name, 'waiting_')))")
    });
    let sql = format!(
        "SELECT name FROM system.tables WHERE {WRITTEN} AND NOT ({}) ORDER BY name",
        has.join(" AND ")
    );
    store.query(&sql).fetch_all().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_table_of_the_schema_merges_each_small_part_by_itself() {
    let store = Store::connect(&support::config()).unwrap();
    let rendering = Rendering::single(store.database());
    apply(&store, &rendering).await.unwrap();
    let written = format!("(SELECT name FROM system.tables WHERE {WRITTEN})");
    assert!(support::count(&store, &written).await > 20);
    assert_eq!(careless(&store).await, Vec::<String>::new());

    let columns = "(n UInt64) ENGINE = AggregatingMergeTree ORDER BY n";
    let [first, ..] = SETTINGS;
    for (name, settings) in [
        ("without", String::new()),
        ("with_one", format!("SETTINGS {first}")),
        ("with_all", format!("SETTINGS {}", SETTINGS.join(", "))),
    ] {
        execute(&store, &format!("CREATE TABLE {name} {columns} {settings}")).await;
    }
    assert_eq!(careless(&store).await, ["with_one", "without"]);
}
