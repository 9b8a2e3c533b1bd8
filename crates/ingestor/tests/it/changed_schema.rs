//! A schema that was changed by hand: ClickHouse would take the inserts without a word and lose what they carry.

use crate::{
    admin_port::{is_ready, with_admin_port},
    member::Program,
    platform::{Platform, until},
    proxy::{Fault, Proxy},
    story::Story,
};

/// Changes the schema under a running member, which must write nothing and say what is missing until it is back.
async fn nothing_is_lost(breaking: &str, missing: &str, mending: &str, seed: u64) {
    let mut platform = Platform::new(1).await;
    let address = with_admin_port(&mut platform.config);
    let story = Story::new(seed, 80);
    let mut portions = story.portions(2);
    let member = Program::start(&platform.config);
    platform.send(portions.next().unwrap());
    platform.drained(story.len().div_ceil(2)).await;
    platform.execute(breaking).await;
    platform.send(portions.next().unwrap());
    let alarmed = until(async || {
        let log = member.log();
        log.contains("it is tried again until it can") && log.contains(missing)
    })
    .await;
    assert!(alarmed, "no {missing}: {}", member.log());
    assert!(!platform.is_drained(story.len()).await);
    // ClickHouse answers all the while, and no batch is open
    assert!(until(async || !is_ready(&address).await).await);
    platform.execute(mending).await;
    platform.drained(story.len()).await;
    assert!(until(async || is_ready(&address).await).await);
    member.stop();
    story.assert_told(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_gone_is_missed_before_anything_is_written() {
    nothing_is_lost(
        "ALTER TABLE trip_events RENAME COLUMN distance_km TO distance",
        "missing: column distance_km of trip_events",
        "ALTER TABLE trip_events RENAME COLUMN distance TO distance_km",
        171,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_is_gone_is_missed_before_anything_is_written() {
    nothing_is_lost(
        "DETACH TABLE agg_payments_from_payment",
        "view agg_payments_from_payment from in_payment to agg_payments_state",
        "ATTACH TABLE agg_payments_from_payment",
        172,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_goes_while_a_batch_is_written_is_missed_before_it_is_closed() {
    let platform = Platform::new(1).await;
    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    let story = Story::new(173, 60);
    let member = Program::start(&config);
    platform.owned_by(1).await;
    // after the look at the schema
    proxy.plan(".in_payment+%28", 0, Fault::Hold(0));
    platform.send(story.records());
    proxy.struck().await;
    platform
        .execute("DETACH TABLE agg_payments_from_payment")
        .await;
    proxy.heal();
    proxy.over().await;
    let missing = "view agg_payments_from_payment from in_payment to agg_payments_state";
    assert!(
        until(async || member.log().contains(missing)).await,
        "{}",
        member.log()
    );
    platform
        .execute("ATTACH TABLE agg_payments_from_payment")
        .await;
    platform.drained(story.len()).await;
    member.stop();
    story.assert_told(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_is_remade_while_a_batch_is_written_loses_nothing() {
    let mut platform = Platform::new(1).await;
    let view = "agg_payments_from_payment";
    let definition = format!(
        "SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = '{view}'"
    );
    let definition: String = platform.store.query(&definition).fetch_one().await.unwrap();
    let (insert, config) = Proxy::before_clickhouse(&platform).await;
    platform.config = config;
    let (look, config) = Proxy::before_clickhouse(&platform).await;
    let story = Story::new(174, 60);
    let mut portions = story.portions(2);
    let of_others = "CREATE OR REPLACE TABLE of_others (n UInt8) ENGINE = Null";
    platform.execute(of_others).await;
    let member = Program::start(&config);
    platform.owned_by(1).await;
    insert.plan(".in_payment+%28", 0, Fault::Hold(0));
    platform.send(portions.next().unwrap());
    insert.struck().await;
    platform.execute(&format!("DROP TABLE {view}")).await;
    // the look after the batch
    look.plan("AS digest", 0, Fault::Hold(1));
    insert.heal();
    look.struck().await;
    platform.execute(&definition).await;
    look.heal();
    platform.drained(story.len().div_ceil(2)).await;
    insert.plan(".in_payment+%28", 0, Fault::Hold(0));
    platform.send(portions.next().unwrap());
    insert.struck().await;
    platform.execute(of_others).await;
    insert.heal();
    platform.drained(story.len()).await;
    let log = member.log();
    member.stop();
    story.assert_told(&platform).await;
    assert!(
        log.contains("the schema was changed while it was written to"),
        "{log}"
    );
    // once: the next batch goes on, and a table through which no event passes is left to those who made it
    assert_eq!(log.matches("recovered a batch").count(), 1, "{log}");
}
