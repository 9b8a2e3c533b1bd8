//! Forgetting what was closed long ago.

use crate::{
    platform::{Platform, until},
    postgres::Database,
};
use devstack::postgres_client;
use metadata_store::lanes;
use tokio_postgres::Client;
use uuid::Uuid;

const LONG_AGO: &str = "25 hours";
const RECENTLY: &str = "23 hours";

fn batch(id: u128, state: &str, closed: &str) -> String {
    let closed_at = match state {
        "open" => "NULL".to_owned(),
        _ => format!("now() - interval '{closed}'"),
    };
    format!(
        "INSERT INTO ingest_batch (id, owner, codec, decided_at, dedup_window, age_limits, state, opened_at, closed_at) \
         VALUES ('{}', 'test', 1, now() - interval '26 hours', 0, '{{}}', '{state}', now() - interval '26 hours', {closed_at});",
        Uuid::from_u128(id)
    )
}

fn range(batch: u128, lo: i64, hi: i64, parked: bool) -> String {
    format!(
        "INSERT INTO ingest_range VALUES ('{}', 'stopped', 0, {lo}, {hi}, 0, 0, '{{}}', {parked});",
        Uuid::from_u128(batch)
    )
}

fn settling(id: u128, state: &str, closed: &str) -> String {
    format!(
        "INSERT INTO settle_batch (id, owner, settled_at, buckets, state, opened_at, closed_at) \
         VALUES ('{}', 'test', now(), '{{\"taken\": [], \"left_over\": 0}}', '{state}', now(), now() - interval '{closed}');",
        Uuid::from_u128(id)
    )
}

/// The ids of what is stored in a table, as the numbers that they were made of.
async fn stored(client: &Client, table: &str) -> Vec<u128> {
    let sql = format!("SELECT id::text FROM {table} WHERE owner = 'test' ORDER BY id");
    let rows = client.query(&sql, &[]).await.unwrap();
    let id = |row: tokio_postgres::Row| row.get::<_, &str>(0).parse::<Uuid>().unwrap().as_u128();
    rows.into_iter().map(id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_closed_a_day_ago_is_forgotten_and_nothing_else() {
    let platform = Platform::new(1).await;
    let mut database = Database::of(&platform).await;
    let lane = "INSERT INTO ingest_lane (topic, partition, first_offset, next_offset, stopped_reason) \
        VALUES ('stopped', 0, 0, 20, 'parked');";
    let rows = [
        lane.to_owned(),
        batch(1, "done", LONG_AGO),
        range(1, 0, 9, false),
        batch(2, "done", RECENTLY),
        batch(3, "open", ""),
        range(3, 10, 19, false),
        // parked: about the first it was decided, its lane stands behind it; the second waits
        batch(4, "done", LONG_AGO),
        range(4, 10, 19, true),
        batch(5, "done", LONG_AGO),
        range(5, 20, 29, true),
        settling(1, "done", LONG_AGO),
        settling(2, "done", RECENTLY),
    ];
    database.execute(&rows.concat()).await;
    let before = lanes::all(&platform.pool).await.unwrap();
    let client = postgres_client(platform.config.postgres.url.expose()).await;
    assert_eq!(stored(&client, "ingest_batch").await, [1, 2, 3, 4, 5]);

    let member = platform.start();
    let forgotten = async || {
        stored(&client, "settle_batch").await == [2]
            && stored(&client, "ingest_batch").await == [2, 3, 5]
    };
    assert!(
        until(forgotten).await,
        "{:?}",
        stored(&client, "ingest_batch").await
    );
    let after = lanes::all(&platform.pool).await.unwrap();
    assert_eq!(
        after.iter().find(|lane| lane.topic == "stopped"),
        before.first()
    );

    // once the lane stands behind the range, it was decided about
    member.stop().await;
    database
        .execute("UPDATE ingest_lane SET next_offset = 30 WHERE topic = 'stopped'")
        .await;
    let member = platform.start();
    let forgotten = async || stored(&client, "ingest_batch").await == [2, 3];
    assert!(
        until(forgotten).await,
        "{:?}",
        stored(&client, "ingest_batch").await
    );
    member.stop().await;
}
