//! ClickHouse answers, and refuses: what can be waited for is waited for, and nothing of it becomes a dead letter.

use crate::{
    admin_port::{is_live, is_ready, with_admin_port},
    bad_input::with,
    dead_letter_topic::{published, sources},
    member::Program,
    own,
    platform::{Platform, until},
    story::Story,
};
use chrono::{Duration, Utc};
use devstack::Server;

/// What a member says after so many failures that someone should look.
const ALARM: &str = "a batch cannot be finished";

/// Sends a portion, breaks something, and sends another; expects that the member says `words`, then mends it.
async fn refused(platform: &Platform, words: &str, breaking: &[&str], mending: &[&str], seed: u64) {
    let story = Story::new(seed, 80);
    let mut portions = story.portions(2);
    let member = Program::start(&platform.config);
    platform.send(portions.next().unwrap());
    platform.drained(story.len().div_ceil(2)).await;
    for statement in breaking {
        platform.execute(statement).await;
    }
    platform.send(portions.next().unwrap());
    let alarmed = until(async || {
        let log = member.log();
        log.contains(ALARM) && log.contains(words)
    })
    .await;
    assert!(alarmed, "no {words}: {}", member.log());
    assert!(!platform.is_drained(story.len()).await);
    for statement in mending {
        platform.execute(statement).await;
    }
    platform.drained(story.len()).await;
    member.stop();
    story.assert_told(platform).await;
    let letters: u64 = story.reasons().values().sum();
    let published = published(platform);
    let told = [published.len(), sources(&published).len()];
    assert_eq!(
        told.map(|letters| letters as u64),
        [letters; 2],
        "an outage made dead letters"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_parts_are_waited_for() {
    let platform = Platform::new(1).await;
    refused(
        &platform,
        "TOO_MANY_PARTS",
        &[
            "SYSTEM STOP MERGES booking_events",
            "ALTER TABLE booking_events MODIFY SETTING parts_to_delay_insert = 1, parts_to_throw_insert = 1",
        ],
        &[
            "ALTER TABLE booking_events RESET SETTING parts_to_delay_insert, parts_to_throw_insert",
            "SYSTEM START MERGES booking_events",
        ],
        131,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_has_run_out_is_waited_for() {
    let platform = Platform::new(1).await;
    let view = format!(
        "CREATE MATERIALIZED VIEW odd_from_booking TO odd AS \
         SELECT throwIf(seats_booked > 0, 'no memory', toInt16(241)) AS broken, batch, kafka_topic, event_timestamp \
         FROM in_booking WHERE mark = toUUID('{}') AND phase = 'ingest' \
         SETTINGS allow_custom_error_code_in_throwif = 1",
        uuid::Uuid::nil()
    );
    refused(
        &platform,
        "MEMORY_LIMIT_EXCEEDED",
        &[
            "CREATE TABLE odd (broken UInt8, batch UUID, kafka_topic String, event_timestamp DateTime64(3, 'UTC')) \
             ENGINE = MergeTree PARTITION BY toYYYYMM(event_timestamp) ORDER BY event_timestamp",
            &view,
        ],
        &["DROP TABLE odd_from_booking"],
        133,
    )
    .await;
}

/// A table takes the rows of a month and not those of all three at once, as if they were too much for the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_too_much_at_once_is_finished_in_smaller_pieces() {
    let platform = Platform::new(1).await;
    for statement in [
        "CREATE TABLE odd (event_id UUID, batch UUID, kafka_topic String, event_timestamp DateTime64(3, 'UTC'), \
         CONSTRAINT few CHECK blockSize() <= 20) ENGINE = MergeTree PARTITION BY toYYYYMM(event_timestamp) ORDER BY event_timestamp",
        "CREATE MATERIALIZED VIEW odd_from_raw TO odd AS \
         SELECT event_id, batch, kafka_topic, event_timestamp FROM in_booking \
         WHERE mark = toUUID('00000000-0000-0000-0000-000000000000') AND phase = 'ingest'",
    ] {
        platform.execute(statement).await;
    }
    for number in 0..60 {
        let time = Utc::now() - Duration::days(number % 3 * 32);
        let booking = with("event_timestamp", time.to_rfc3339());
        platform.send_raw(&platform.config.topics.booking, b"key", &booking);
    }
    platform.flush();
    let member = Program::start(&platform.config);
    platform.drained(60).await;
    let log = member.log();
    assert!(
        log.contains(ALARM) && log.contains("VIOLATED_CONSTRAINT"),
        "{log}"
    );
    let odd = "(SELECT uniqExact(event_id) * 1000 + count() FROM odd)";
    assert_eq!(platform.number(odd).await, 60_060);
    platform.assert_exact().await;
    platform.assert_balanced().await;
    member.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_stays_full_is_waited_for() {
    let (mut platform, stack) = own::platform(Server::ClickHouse, 1).await;
    let address = with_admin_port(&mut platform.config);
    let story = Story::new(134, 60);
    let member = Program::start(&platform.config);
    platform.owned_by(1).await;
    assert!(until(async || is_ready(&address).await).await);
    let full = ["-e", "trace=rename", "-e", "inject=rename:error=ENOSPC"];
    let tracer = stack.attach_strace(Server::ClickHouse, &full).unwrap();
    platform.send(story.records());
    let alarmed = until(async || member.log().contains(ALARM)).await;
    assert!(alarmed, "no alarm: {}", member.log());
    assert_eq!(platform.number("(SELECT count() FROM events_raw)").await, 0);
    // ClickHouse answers all the while
    assert!(until(async || !is_ready(&address).await).await);
    // nor can it begin anew
    member.kill();
    let member = Program::start(&platform.config);
    assert!(until(async || member.log().contains("cannot begin")).await);
    assert!(until(async || is_live(&address).await).await);
    assert!(!is_ready(&address).await);
    tracer.detach().unwrap();
    platform.drained(story.len()).await;
    assert!(until(async || is_ready(&address).await).await);
    member.stop();
    story.assert_told(&platform).await;
}
