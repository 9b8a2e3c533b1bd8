//! ClickHouse dies, fails and comes back.

use crate::{
    admin_port::{is_ready, with_admin_port},
    dead_letter_topic::published,
    member::Program,
    own,
    platform::{Platform, until},
    postgres::Database,
    story::Story,
};
use devstack::{PrivateStack, Server};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use service_runtime::config::HumanDuration;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_killed_at_any_moment_under_load_loses_and_doubles_nothing() {
    let (platform, stack) = own::platform(Server::ClickHouse, 2).await;
    let story = Story::new(51, 300);
    let mut chance = StdRng::seed_from_u64(51);
    let member = platform.start();
    platform.owned_by(1).await;
    for portion in story.portions(5) {
        platform.send(portion);
        // the moment is random; there is nothing to wait for
        tokio::time::sleep(Duration::from_millis(chance.random_range(0..600))).await;
        stack.kill(Server::ClickHouse).unwrap();
        stack.restart(Server::ClickHouse).unwrap();
    }
    platform.drained(story.len()).await;
    member.stop().await;
    story.assert_told(&platform).await;
}

/// Kills ClickHouse at one of its renames from now on.
fn die_at(stack: &PrivateStack, rename: u32) -> devstack::Tracer {
    let inject = format!("inject=rename:signal=SIGKILL:when={rename}");
    stack
        .attach_strace(Server::ClickHouse, &["-e", "trace=rename", "-e", &inject])
        .unwrap()
}

/// Whether ClickHouse has died before everything that was sent is written.
async fn struck(stack: &PrivateStack, platform: &Platform, sent: u64) -> bool {
    let (mut dead, server) = (false, Server::ClickHouse);
    let decided = async || {
        dead = !stack.is_running(server);
        dead || platform.is_drained(sent).await
    };
    assert!(until(decided).await, "neither dead nor written");
    dead
}

/// Sends a portion for each of the renames, at which ClickHouse is killed while it writes that. Answers which of them no
/// insert came to, the first; nothing is killed after that.
async fn killed_at_renames(renames: &[u32], seed: u64) -> Option<u32> {
    let (mut platform, stack) = own::platform(Server::ClickHouse, 1).await;
    // settlings rename as well
    platform.config.settle.interval = HumanDuration::secs(3600);
    let mut database = Database::of(&platform).await;
    let story = Story::new(seed, 40 * renames.len() as u64);
    let member = platform.start();
    platform.owned_by(1).await;
    let (mut sent, mut repaired, mut survived) = (0, 0, None);
    for (portion, rename) in story.split(renames.len()).iter().zip(renames) {
        sent += portion.len() as u64;
        if survived.is_some() {
            platform.send(portion);
            continue;
        }
        rename_nothing_else(&platform).await;
        let tracer = die_at(&stack, *rename);
        platform.send(portion);
        let dead = struck(&stack, &platform, sent).await;
        drop(tracer);
        if !dead {
            survived = Some(*rename);
            continue;
        }
        stack.restart(Server::ClickHouse).unwrap();
        platform.drained(sent).await;
        let before = std::mem::replace(&mut repaired, database.repaired_batches().await);
        assert!(repaired > before, "no batch was written at rename {rename}");
    }
    platform.drained(sent).await;
    member.stop().await;
    story.assert_told(&platform).await;
    survived
}

/// For the next moments, ClickHouse renames only what it is told to insert.
async fn rename_nothing_else(platform: &Platform) {
    platform.execute("SYSTEM STOP MERGES").await;
    platform.execute("SYSTEM FLUSH LOGS").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_killed_at_early_renames_of_a_batch_is_repaired() {
    assert_eq!(killed_at_renames(&[1, 3, 6, 10], 52).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_killed_at_late_renames_of_a_batch_is_repaired() {
    assert_eq!(killed_at_renames(&[8, 12, 14], 53).await, None);
}

/// More than an insert has.
const RENAMES: u32 = 60;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: make test-faults"]
async fn clickhouse_killed_at_each_rename_of_a_batch_is_repaired() {
    let renames: Vec<_> = (1..=RENAMES).collect();
    let survived = killed_at_renames(&renames, 58).await;
    println!("survived at rename {survived:?}");
    assert!(survived.is_some_and(|rename| rename > 14), "{survived:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_for_one_rename_is_repaired() {
    let (platform, stack) = own::platform(Server::ClickHouse, 1).await;
    let story = Story::new(54, 60);
    let member = platform.start();
    platform.owned_by(1).await;
    let mut database = Database::of(&platform).await;
    let (mut sent, mut failed) = (0, 0);
    for (portion, rename) in story.portions(2).zip([2, 9]) {
        let inject = format!("inject=rename:error=ENOSPC:when={rename}");
        let tracer = stack
            .attach_strace(Server::ClickHouse, &["-e", "trace=rename", "-e", &inject])
            .unwrap();
        platform.send(portion);
        failed += 1;
        let has_failed = async || database.repaired_batches().await >= failed;
        assert!(until(has_failed).await, "nothing failed at rename {rename}");
        // each thread of the server counts its renames by itself
        tracer.detach().unwrap();
        sent = story.len().min(sent + story.len().div_ceil(2));
        platform.drained(sent).await;
        failed = database.repaired_batches().await;
    }
    member.stop().await;
    story.assert_told(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_down_for_a_while_is_back_pressure_and_nothing_else() {
    let (mut platform, stack) = own::platform(Server::ClickHouse, 2).await;
    let admin = with_admin_port(&mut platform.config);
    platform.config.batch.max_rows = 200;
    let story = Story::new(55, 200);
    let member = Program::start(&platform.config);
    platform.owned_by(1).await;
    assert!(until(async || is_ready(&admin).await).await, "never ready");
    // the lanes have been taken over, which asks ClickHouse as well
    platform.send(story.records().take(1));
    platform.drained(1).await;

    stack.kill(Server::ClickHouse).unwrap();
    platform.send(story.records().skip(1));
    assert!(
        until(async || !is_ready(&admin).await).await,
        "ready without ClickHouse"
    );
    // long enough for several attempts
    let failed = "cannot load the identities of a lane yet";
    assert!(
        until(async || member.log().matches(failed).count() >= 4).await,
        "no attempts"
    );
    assert_eq!(published(&platform), []);
    assert!(!platform.is_drained(2).await);
    stack.restart(Server::ClickHouse).unwrap();
    platform.drained(story.len()).await;
    assert!(
        until(async || is_ready(&admin).await).await,
        "not ready again"
    );
    member.stop();
    story.assert_told(&platform).await;
}

const BROKEN: &str = "SELECT throwIf(seats_booked > 0, 'broken on purpose') AS broken, batch, kafka_topic, event_timestamp \
    FROM in_booking WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest'";

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_throws_holds_the_batch_until_it_is_mended() {
    let platform = Platform::new(2).await;
    let story = Story::new(56, 100);
    platform.execute("CREATE TABLE odd (broken UInt8, batch UUID, kafka_topic String, event_timestamp DateTime64(3, 'UTC')) \
         ENGINE = MergeTree PARTITION BY toYYYYMM(event_timestamp) ORDER BY event_timestamp",
    )
    .await;
    platform
        .execute(&format!(
            "CREATE MATERIALIZED VIEW odd_from_booking TO odd AS {BROKEN}"
        ))
        .await;
    let member = Program::start(&platform.config);
    platform.send(story.records());
    let alarmed = until(async || member.log().contains("a batch cannot be finished")).await;
    assert!(alarmed, "no alarm");
    let mended = BROKEN.replace("seats_booked > 0", "seats_booked > 8");
    platform
        .execute(&format!(
            "ALTER TABLE odd_from_booking MODIFY QUERY {mended}"
        ))
        .await;
    platform.drained(story.len()).await;
    member.stop();
    story.assert_told(&platform).await;
    let odd = platform.number("(SELECT count() FROM odd)").await;
    assert_eq!(
        odd,
        platform
            .number("(SELECT count() FROM booking_events)")
            .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_killed_during_a_repair_is_repaired_again() {
    let (mut platform, stack) = own::platform(Server::ClickHouse, 1).await;
    // the member keeps its lanes while it is halted
    platform.config.kafka.session_timeout = HumanDuration::secs(30);
    let mut database = Database::of(&platform).await;
    let story = Story::new(57, 60);
    let member = Program::start(&platform.config);
    platform.owned_by(1).await;
    let tracer = die_at(&stack, 12);
    platform.send(story.records());
    own::dead(&stack, Server::ClickHouse).await;
    drop(tracer);
    // renames are counted for each thread of the server, so only the first is certain to be one of the repair
    for attempt in [2, 3] {
        // it does not repair anything before the next kill is prepared
        member.halt();
        stack.restart(Server::ClickHouse).unwrap();
        let tracer = die_at(&stack, 1);
        member.go_on();
        own::dead(&stack, Server::ClickHouse).await;
        drop(tracer);
        let under_repair = format!("ingest_batch WHERE state = 'open' AND attempt >= {attempt}");
        assert_eq!(
            database.count(&under_repair).await,
            1,
            "killed, but not during repair {attempt}: {}",
            member.log()
        );
    }
    stack.restart(Server::ClickHouse).unwrap();
    platform.drained(story.len()).await;
    member.stop();
    story.assert_told(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: make test-faults"]
async fn clickhouse_killed_at_each_rename_of_a_repair_is_repaired_again() {
    let (mut platform, stack) = own::platform(Server::ClickHouse, 1).await;
    platform.config.settle.interval = HumanDuration::secs(3600);
    // the member keeps its lanes while it is halted
    platform.config.kafka.session_timeout = HumanDuration::secs(30);
    let mut database = Database::of(&platform).await;
    let story = Story::new(59, 40 * u64::from(RENAMES));
    let member = Program::start(&platform.config);
    platform.owned_by(1).await;
    let (mut sent, mut survived) = (0, None);
    for (portion, rename) in story.split(RENAMES as usize).iter().zip(1..) {
        sent += portion.len() as u64;
        if survived.is_some() {
            platform.send(portion);
            continue;
        }
        rename_nothing_else(&platform).await;
        // nothing is written yet, so the repair has everything to write
        let tracer = die_at(&stack, 1);
        platform.send(portion);
        own::dead(&stack, Server::ClickHouse).await;
        drop(tracer);
        member.halt();
        stack.restart(Server::ClickHouse).unwrap();
        rename_nothing_else(&platform).await;
        let tracer = die_at(&stack, rename);
        member.go_on();
        let dead = struck(&stack, &platform, sent).await;
        drop(tracer);
        if dead {
            let under_repair = "ingest_batch WHERE state = 'open' AND attempt >= 2";
            assert_eq!(
                database.count(under_repair).await,
                1,
                "killed, but not during a repair: {}",
                member.log()
            );
            stack.restart(Server::ClickHouse).unwrap();
        } else {
            survived = Some(rename);
        }
        platform.drained(sent).await;
    }
    platform.drained(sent).await;
    member.stop();
    story.assert_told(&platform).await;
    println!("survived at rename {survived:?}");
    assert!(survived.is_some_and(|rename| rename > 10), "{survived:?}");
}
