use event_store::{
    Store,
    probe::{ProbeError, probe, probe_with},
};

use crate::support;

async fn tables(store: &Store) -> u64 {
    let sql = "SELECT count() FROM system.tables WHERE database = currentDatabase()";
    store.query(sql).fetch_one().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_our_settings_passes_and_no_table_stays() {
    let store = support::store().await;
    probe(&store).await.unwrap();
    assert_eq!(tables(&store).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_cuts_blocks_is_named_and_no_table_stays() {
    let store = support::store().await;
    let off = [
        ("min_insert_block_size_rows", "1000"),
        ("min_insert_block_size_bytes", "1000"),
    ];
    let error = probe_with(&store, &off).await.unwrap_err();
    let ProbeError::Parts { settings, .. } = &error else {
        panic!("{error}");
    };
    let names: Vec<_> = settings.iter().map(|setting| setting.name).collect();
    assert_eq!(
        names,
        ["min_insert_block_size_rows", "min_insert_block_size_bytes"]
    );
    let text = error.to_string();
    assert!(
        text.contains("min_insert_block_size_rows is 1000 instead of"),
        "{text}"
    );
    assert_eq!(tables(&store).await, 0);
}
