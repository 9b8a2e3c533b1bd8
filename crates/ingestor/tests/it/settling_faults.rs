//! Settlers that die and sleep, and facts that wait for long.

use crate::{
    member::Program,
    platform::{Platform, until},
    postgres::Database,
    proxy::{Fault, Proxy},
    settling::{assert_regions_add_up, settled},
    story::Story,
};
use devstack::postgres_client;
use service_runtime::config::HumanDuration;
use shared_schema::Domain;

/// How many facts wait that were put there by hand.
const BY_HAND: &str = "(SELECT uniqExact(_table, kafka_offset) FROM merge(currentDatabase(), '^waiting_[a-z]+$') WHERE kafka_topic = 'by hand')";

/// Puts a fact of which nothing will be known for a day into a bucket of a waiting table.
async fn wait_by_hand(platform: &Platform, table: &str, bucket: u64) {
    let sql = format!(
        "INSERT INTO {table} (bucket, batch, event_timestamp, kafka_topic, kafka_partition, kafka_offset, kafka_timestamp, decided_at) \
         SELECT {bucket}, generateUUIDv4(), now64(3), 'by hand', 0, {bucket}, now64(3), now64(3) + INTERVAL 1 DAY"
    );
    platform.execute(&sql).await;
}

/// The buckets that settlings have taken so far, each after its table.
async fn taken(platform: &Platform) -> Vec<(String, u64)> {
    let url = platform.config.postgres.url.expose();
    let client = postgres_client(url).await;
    let sql = "SELECT DISTINCT taken.of ->> 0, bucket FROM settle_batch, \
         jsonb_array_elements(buckets -> 'taken') AS taken (of), jsonb_array_elements_text(taken.of -> 1) AS bucket";
    let rows = client.query(sql, &[]).await.unwrap();
    let bucket = |row: &tokio_postgres::Row| row.get::<_, &str>(1).parse().unwrap();
    rows.iter().map(|row| (row.get(0), bucket(row))).collect()
}

/// PostgreSQL loses sight of whoever has a lock.
async fn break_turns(database: &mut Database) {
    let end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' \
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    database.execute(end).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settler_that_wakes_late_removes_no_fact_that_came_since() {
    let platform = Platform::new(2).await;
    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    let mut database = Database::of(&platform).await;
    let story = Story::new(201, 60);
    let zombie = Program::start(&config);
    platform.owned_by(1).await;
    proxy.plan("ALTER TABLE", 0, Fault::Hold(0));
    platform.send(story.records());
    proxy.struck().await;
    zombie.halt();
    break_turns(&mut database).await;

    let second = platform.start();
    platform.drained(story.len()).await;
    settled(&platform).await;
    second.stop().await;
    let taken = taken(&platform).await;
    assert!(!taken.is_empty());
    for (table, bucket) in &taken {
        wait_by_hand(&platform, table, *bucket).await;
    }
    zombie.go_on();
    proxy.heal();
    proxy.over().await;
    zombie.kill();
    assert_eq!(platform.number(BY_HAND).await, taken.len() as u64);
    story.assert_told(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settling_that_was_forgotten_before_it_decided_decides_no_more() {
    let platform = Platform::new(2).await;
    let (late, config) = Proxy::before_clickhouse(&platform).await;
    let (between, others) = Proxy::before_clickhouse(&platform).await;
    let mut database = Database::of(&platform).await;
    let story = Story::new(204, 60);
    let zombie = Program::start(&config);
    platform.owned_by(1).await;
    late.plan(".settlements+%28batch", 0, Fault::Hold(0));
    platform.send(story.records());
    platform.drained(story.len()).await;
    late.struck().await;
    // a failover to a server that has not heard of it
    let forget = "DELETE FROM settle_batch WHERE state = 'open'";
    database.execute(forget).await;
    break_turns(&mut database).await;

    between.plan(".in_trip+%28batch%2C+phase", 0, Fault::Hold(0));
    let second = Program::start(&others);
    between.struck().await;
    late.heal();
    late.over().await;
    let is_refused = async || {
        zombie
            .log()
            .contains("this attempt to write the batch was given up")
    };
    assert!(until(is_refused).await, "{}", zombie.log());
    between.heal();
    between.over().await;
    settled(&platform).await;
    zombie.stop();
    second.stop();
    story.assert_told(&platform).await;
    assert_regions_add_up(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_of_which_nothing_new_is_known_are_left_where_they_wait() {
    let mut platform = Platform::new(2).await;
    platform.config.settle.patience = HumanDuration::secs(3600);
    let story = Story::new(202, 60);
    let payments = story
        .records()
        .filter(|record| record.topic == Domain::Payment);
    let payments: Vec<_> = payments.collect();
    let member = platform.start();
    platform.send(payments.iter().copied());
    platform.drained(payments.len() as u64).await;
    let last_bucket = platform
        .number("(SELECT max(bucket) FROM waiting_payment)")
        .await;
    assert!(last_bucket > 0, "no payment waits");
    // a tick that may take the facts, and then the dozens of ten seconds
    horizon_reaches(&platform, last_bucket).await;
    horizon_reaches(&platform, last_bucket + 1).await;
    let before = written(&platform).await;
    horizon_reaches(&platform, last_bucket + 2).await;
    assert_eq!(written(&platform).await, before);
    member.stop().await;
}

/// Waits until the facts of a bucket may be taken.
async fn horizon_reaches(platform: &Platform, bucket: u64) {
    let mut database = Database::of(platform).await;
    let rows = format!("settle_horizon WHERE bucket >= {bucket}");
    assert!(
        until(async || database.count(&rows).await == 1).await,
        "bucket {bucket} is never closed"
    );
}

/// What settlings have written, and where the facts wait.
async fn written(platform: &Platform) -> (u64, Vec<String>) {
    let settlings = platform.number("(SELECT count() FROM settlements)").await;
    let buckets = "SELECT concat(table, ' ', partition_id, ' ', toString(sum(rows))) AS bucket FROM system.parts \
        WHERE database = currentDatabase() AND startsWith(table, 'waiting_') AND active \
        GROUP BY table, partition_id ORDER BY bucket";
    let buckets = platform.store.query(buckets).fetch_all().await.unwrap();
    (settlings, buckets)
}

#[tokio::test(flavor = "multi_thread")]
async fn more_facts_than_one_settling_takes_are_settled_by_several_though_one_is_killed() {
    const MOST: u64 = 40;
    let mut platform = Platform::new(2).await;
    platform.config.settle.max_facts = MOST;
    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    let story = Story::new(203, 120);
    let first = Program::start(&config);
    platform.owned_by(1).await;
    // the regions of the third that has trips are on their way
    proxy.plan(".in_trip+%28batch%2C+phase", 2, Fault::Hold(0));
    platform.send(story.records());
    proxy.struck().await;
    first.kill();

    let second = Program::start(&platform.config);
    platform.drained(story.len()).await;
    settled(&platform).await;
    proxy.heal();
    proxy.over().await;
    second.stop();
    story.assert_told(&platform).await;
    assert_regions_add_up(&platform).await;
    let facts = platform
        .number("(SELECT countIf(kafka_topic != '') FROM settlements)")
        .await;
    let largest = platform
        .number("(SELECT max(facts) FROM (SELECT countIf(kafka_topic != '') AS facts FROM settlements GROUP BY batch))")
        .await;
    assert!(facts > 10 * MOST, "{facts} facts are too few");
    // slices are of the same size but for chance
    assert!(
        largest <= 2 * MOST,
        "one settling took {largest} of {facts} facts"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_that_wait_in_many_buckets_are_brought_together() {
    let platform = Platform::new(1).await;
    for bucket in 1..=40 {
        wait_by_hand(&platform, "waiting_trip", bucket).await;
    }
    // too few for it to be worth while
    for bucket in 1..=3 {
        wait_by_hand(&platform, "waiting_route", bucket + 100).await;
    }
    let member = platform.start();
    let buckets = async |table: &str| {
        platform
            .number(&format!("(SELECT uniqExact(bucket) FROM {table})"))
            .await
    };
    assert!(until(async || buckets("waiting_trip").await == 1).await);
    let settlings = "(SELECT uniqExact(batch) FROM settlements)";
    assert_eq!(platform.number(settlings).await, 1);
    assert_eq!(buckets("waiting_route").await, 3);
    assert_eq!(platform.number(BY_HAND).await, 43);
    let copies = "(SELECT count() FROM waiting_trip)";
    assert_eq!(platform.number(copies).await, 40);
    member.stop().await;
}

/// Takes what was put there by hand away, also what is just being moved.
async fn forget_by_hand(platform: &Platform) {
    let gone = async || {
        let forget = "ALTER TABLE waiting_payment DELETE WHERE kafka_topic = 'by hand'";
        let forget = platform.store.query(forget).setting("mutations_sync", 1);
        forget.execute().await.unwrap();
        platform.number(BY_HAND).await == 0
    };
    assert!(until(gone).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_settling_that_brings_facts_together_is_finished() {
    let mut platform = Platform::new(2).await;
    // the payments are left over until their bookings come, however long that takes
    let soon = platform.config.settle.patience;
    platform.config.settle.patience = HumanDuration::secs(3600);
    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    let mut database = Database::of(&platform).await;
    let story = Story::new(113, 100);
    let (payments, others): (Vec<_>, Vec<_>) = story
        .records()
        .partition(|record| record.topic == Domain::Payment);
    let first = Program::start(&config);
    platform.owned_by(1).await;
    database.remember().await;
    platform.send(payments.iter().copied());
    platform.drained(payments.len() as u64).await;
    let last_bucket = platform
        .number("(SELECT max(bucket) FROM waiting_payment)")
        .await;
    horizon_reaches(&platform, last_bucket).await;
    proxy.plan(".waiting_payment+%28bucket", 0, Fault::HoldReply);
    for bucket in 1..=20 {
        wait_by_hand(&platform, "waiting_payment", bucket).await;
    }
    proxy.struck().await;
    first.kill();
    database.go_back().await;

    let second = Program::start(&platform.config);
    platform.drained(payments.len() as u64).await;
    proxy.heal();
    proxy.over().await;
    platform.send(others);
    platform.drained(story.len()).await;
    assert_eq!(platform.number(BY_HAND).await, 20);
    forget_by_hand(&platform).await;
    second.stop();
    platform.config.settle.patience = soon;
    let third = Program::start(&platform.config);
    settled(&platform).await;
    third.stop();
    story.assert_told(&platform).await;
    assert_regions_add_up(&platform).await;
}
