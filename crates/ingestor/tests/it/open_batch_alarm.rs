//! A batch that nobody finishes.

use crate::{
    admin_port::{metric, with_admin_port},
    member::Program,
    platform::{Platform, until},
    postgres::Database,
};
use uuid::Uuid;

const WEEK: f64 = 7.0 * 24.0 * 3600.0;

/// The age of the oldest open batch that a member tells, if it tells anything yet.
async fn oldest_open(address: &str) -> Option<f64> {
    metric(address, "openride_ingest_oldest_open_batch_seconds").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_open_for_more_than_a_week_is_told_of() {
    let mut platform = Platform::new(1).await;
    let address = with_admin_port(&mut platform.config);
    let member = Program::start(&platform.config);
    let tells_none = async || oldest_open(&address).await == Some(0.0);
    assert!(until(tells_none).await, "{}", member.log());

    let id = Uuid::now_v7();
    let open = |days: u32| {
        format!(
            "INSERT INTO ingest_batch (id, owner, codec, decided_at, dedup_window, age_limits, opened_at) \
             VALUES ('{id}', 'test', 1, now(), 0, '{{}}', now() - interval '{days} days') \
             ON CONFLICT (id) DO UPDATE SET opened_at = excluded.opened_at"
        )
    };
    let mut database = Database::of(&platform).await;
    database.execute(&open(6)).await;
    let tells_young = async || {
        oldest_open(&address)
            .await
            .is_some_and(|age| age > WEEK * 6.0 / 7.0)
    };
    assert!(until(tells_young).await);
    assert!(!member.log().contains("open for more than a week"));

    database.execute(&open(8)).await;
    let cries = async || member.log().contains("open for more than a week");
    assert!(until(cries).await, "{}", member.log());
    assert!(member.log().contains(&id.to_string()));
    let tells_old = async || oldest_open(&address).await.is_some_and(|age| age > WEEK);
    assert!(until(tells_old).await);
    member.stop();
}
