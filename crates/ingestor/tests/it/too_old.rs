//! Batches that are so old that ClickHouse has let go of what tells its rows apart.

use crate::{
    admin_port::{is_ready, with_admin_port},
    member::Program,
    platform::{Platform, until},
    postgres::Database,
    proxy::Fault,
    settling::{assert_settled, settled},
    story::Story,
};
use metadata_store::{lanes, lanes::Lane};

const ALARM: &str = "cannot tell any more what is there of them";

/// Everything that is written was written 22 days ago, and its marks have left.
async fn grow_old(platform: &Platform) {
    // a column that tells the partition cannot be changed in place
    platform
        .execute("CREATE TABLE kept_ledger ENGINE = Memory AS SELECT * FROM ingest_ledger")
        .await;
    platform.execute("TRUNCATE TABLE ingest_ledger").await;
    platform
        .execute("INSERT INTO ingest_ledger SELECT * REPLACE (decided_at - INTERVAL 22 DAY AS decided_at) FROM kept_ledger")
        .await;
    let sql = "SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'marked_at' \
        AND endsWith(table, '_state')";
    let marked: Vec<String> = platform.store.query(sql).fetch_all().await.unwrap();
    assert!(!marked.is_empty());
    for table in marked {
        platform
            .execute(&format!(
                "ALTER TABLE {table} DELETE WHERE mark != toUUID('{}') SETTINGS mutations_sync = 1",
                uuid::Uuid::nil()
            ))
            .await;
    }
}

/// The next offset that the reason of a stopped lane names.
fn named_in(reason: &str) -> i64 {
    let (_, rest) = reason.split_once("next_offset in ingest_lane to ").unwrap();
    rest.split(' ').next().unwrap().parse().unwrap()
}

fn stopped(lanes: &[Lane]) -> impl Iterator<Item = (&Lane, &str)> {
    let reason = |lane: &'_ Lane| lane.stopped_reason.is_some();
    let lanes = lanes.iter().filter(move |lane| reason(lane));
    lanes.filter_map(|lane| Some((lane, lane.stopped_reason.as_deref()?)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_went_back_too_far_stops_and_doubles_nothing() {
    let platform = Platform::new(1).await;
    let mut database = Database::of(&platform).await;
    let story = Story::new(191, 120);
    let portions = story.split(3);
    let sent = |until: usize| {
        portions[..until]
            .iter()
            .map(|portion| portion.len() as u64)
            .sum()
    };
    let member = Program::start(&platform.config);
    platform.send(&portions[0]);
    platform.drained(sent(1)).await;
    settled(&platform).await;
    member.stop();
    grow_old(&platform).await;
    // what is young may be put back
    let member = Program::start(&platform.config);
    platform.send(&portions[1]);
    platform.drained(sent(2)).await;
    settled(&platform).await;
    member.stop();
    database
        .execute("UPDATE ingest_lane SET next_offset = first_offset")
        .await;

    let member = Program::start(&platform.config);
    let all = platform.topics().len();
    platform
        .lanes_are("stopped", |lanes| stopped(lanes).count() == all)
        .await;
    assert!(member.log().contains(ALARM), "{}", member.log());
    platform.assert_exact().await;

    // as the reasons say
    for (lane, reason) in stopped(&lanes::all(&platform.pool).await.unwrap()) {
        assert!(reason.contains(ALARM), "{reason}");
        let next = named_in(reason);
        assert!(next > lane.next_offset, "{reason}");
        let set = format!(
            "UPDATE ingest_lane SET next_offset = {next} WHERE topic = '{}' AND partition = {}",
            lane.topic, lane.partition
        );
        database.execute(&set).await;
        assert!(
            lanes::resume(&platform.pool, &lane.id(), next)
                .await
                .unwrap()
        );
    }
    platform.drained(sent(2)).await;
    platform.send(&portions[2]);
    assert_settled(&platform, &story, member).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_open_for_too_long_is_not_repaired() {
    let mut platform = Platform::new(1).await;
    let mut database = Database::of(&platform).await;
    let story = Story::new(192, 60);
    let (first, proxy) =
        Program::struck(&platform, ".in_payment", Fault::Hold(0), story.records()).await;
    platform.opened().await;
    first.kill();
    let later = |days: i32| {
        format!(
            "UPDATE ingest_batch SET decided_at = decided_at + interval '{days} days' WHERE state = 'open'"
        )
    };
    database.execute(&later(-21)).await;
    let attempts = database.repaired_batches().await;
    let address = with_admin_port(&mut platform.config);
    let second = Program::start(&platform.config);
    assert!(until(async || is_ready(&address).await).await);
    let refuses = async || {
        let log = second.log();
        log.contains("a batch cannot be finished") && log.contains("more than 20 days ago")
    };
    assert!(until(refuses).await, "{}", second.log());
    assert_eq!(database.repaired_batches().await, attempts);
    // the batch holds the lanes that are taken over
    assert!(until(async || !is_ready(&address).await).await);
    database.execute(&later(21)).await;
    platform.drained(story.len()).await;
    assert!(until(async || is_ready(&address).await).await);
    proxy.heal();
    proxy.over().await;
    second.stop();
    story.assert_told(&platform).await;
}
