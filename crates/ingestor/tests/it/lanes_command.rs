//! What an operator says to partitions that stand still.

use crate::{
    log_faults::delete_before_the_end,
    member::{Program, write_config},
    platform::{Platform, until},
    postgres::Database,
    proxy::{Fault, Proxy},
    story::Story,
};
use ingestor::Config;
use metadata_store::{batches, lanes, lanes::Lane};
use simulator::Record;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// `ingestor lanes` with its configuration, which lives as long.
fn command(config: &Config, arguments: &[&str]) -> (Command, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ingestor"));
    command
        .env_clear()
        .arg("--config")
        .arg(write_config(config, directory.path()))
        .arg("lanes")
        .args(arguments)
        .stdin(Stdio::null());
    (command, directory)
}

/// Whether it succeeded, and all that it said.
async fn say(platform: &Platform, arguments: &[&str]) -> (bool, String) {
    let (mut command, directory) = command(&platform.config, arguments);
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.unwrap().unwrap();
    drop(directory);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let said = text(output.stdout) + &text(output.stderr);
    (output.status.success(), said)
}

async fn done(platform: &Platform, arguments: &[&str]) -> String {
    let (well, said) = say(platform, arguments).await;
    assert!(well, "{arguments:?}: {said}");
    said
}

async fn refused(platform: &Platform, arguments: &[&str], why: &str) {
    let (well, said) = say(platform, arguments).await;
    assert!(!well && said.contains(why), "{arguments:?}: {said}");
}

async fn declare_lost(platform: &Platform, topic: &str, through: i64) -> String {
    let (lane, through) = (format!("{topic}/0"), through.to_string());
    done(
        platform,
        &["declare-lost", &lane, "--through", &through, "--yes"],
    )
    .await
}

async fn lane(platform: &Platform, topic: &str) -> Lane {
    let lanes = lanes::all(&platform.pool).await.unwrap();
    lanes.into_iter().find(|lane| lane.topic == topic).unwrap()
}

async fn stopped(platform: &Platform, topic: &str) {
    let stands = |lane: &Lane| lane.topic == topic && lane.stopped_reason.is_some();
    platform
        .lanes_are("stopped", |lanes| lanes.iter().any(stands))
        .await;
    let closed = async || batches::open(&platform.pool).await.unwrap().is_empty();
    assert!(until(closed).await, "a batch stays open");
}

async fn lost_offsets(platform: &Platform) -> u64 {
    let lost = "(SELECT sum(last_offset - first_offset + 1) FROM ingest_gaps WHERE cause = 'lost')";
    platform.number(lost).await
}

/// What the ledger says adds up to the offsets of all lanes, each told once.
async fn assert_ledger_adds_up(platform: &Platform) {
    let all = lanes::all(&platform.pool).await.unwrap();
    let offsets: i64 = all
        .iter()
        .map(|lane| lane.next_offset - lane.first_offset)
        .sum();
    let told =
        "(SELECT sum(accepted + duplicate + dead_lettered + gap_offsets) FROM ingest_ledger)";
    assert_eq!(platform.number(told).await, u64::try_from(offsets).unwrap());
}

fn portions(story: &Story) -> (Vec<Record>, Vec<Record>) {
    let mut portions = story.portions(2).map(|portion| portion.cloned().collect());
    (portions.next().unwrap(), portions.next().unwrap())
}

fn of_topic(platform: &Platform, records: &[Record], topic: &str) -> i64 {
    let is_of = |record: &&Record| platform.config.topics.topic_of(record.topic) == topic;
    i64::try_from(records.iter().filter(is_of).count()).unwrap()
}

/// A member dies while the request with these words is on its way, the log of a topic is deleted, and a second member
/// stops its lane. Answers the second one, and how many records of the topic there were.
async fn parked_at(
    platform: &Platform,
    words: &str,
    records: &[Record],
    topic: &str,
) -> (Program, i64) {
    let (proxy, config) = Proxy::before_clickhouse(platform).await;
    let first = Program::start(&config);
    platform.owned_by(1).await;
    proxy.plan(words, 0, Fault::Hold(0));
    platform.send(records);
    proxy.struck().await;
    first.kill();
    delete_before_the_end(platform, topic).await;
    let second = Program::start(&platform.config);
    stopped(platform, topic).await;
    (second, of_topic(platform, records, topic))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_before_it_was_read_is_declared_lost_under_a_running_member() {
    let platform = Platform::new(1).await;
    let topic = platform.config.topics.booking.clone();
    let member = Program::start(&platform.config);
    platform.owned_by(1).await;
    member.stop();
    (0..3).for_each(|_| platform.send_raw(&topic, b"key", b"no event"));
    platform.flush();
    delete_before_the_end(&platform, &topic).await;
    let member = Program::start(&platform.config);
    stopped(&platform, &topic).await;
    platform.owned_by(1).await;
    let id = format!("{topic}/0");
    let list = done(&platform, &["list"]).await;
    let line = list.lines().find(|line| line.starts_with(&id)).unwrap();
    assert!(
        line.contains("lost: the log begins at 3")
            && line.contains("`ingestor lanes declare-lost`"),
        "{list}"
    );

    refused(
        &platform,
        &["declare-lost", &id, "--through", "3", "--yes"],
        "must be one of 0 to 2",
    )
    .await;
    refused(
        &platform,
        &["declare-lost", &id, "--through", "2"],
        "add --yes",
    )
    .await;
    assert_eq!(lost_offsets(&platform).await, 0);
    assert_eq!(lane(&platform, &topic).await.next_offset, 0);

    let said = declare_lost(&platform, &topic, 2).await;
    assert!(said.contains("lost: 3 (0 to 2)"), "{said}");
    platform.send_raw(&topic, b"key", b"no event");
    platform.flush();
    platform.drained(4).await;
    member.stop();
    assert_eq!(lost_offsets(&platform).await, 3);
    assert_eq!(lane(&platform, &topic).await.stopped_reason, None);
    platform.assert_balanced().await;
    assert_ledger_adds_up(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_range_of_which_nothing_was_written_is_declared_lost() {
    let platform = Platform::new(1).await;
    let story = Story::new(131, 60);
    let (before, after) = portions(&story);
    let topic = platform.config.topics.location.clone();
    let (member, lost) = parked_at(&platform, "query=INSERT+INTO", &before, &topic).await;
    let said = declare_lost(&platform, &topic, lost - 1).await;
    assert!(!said.contains("NOT EXACT"), "{said}");
    platform.send(&after);
    platform.drained(story.len()).await;
    member.stop();
    assert_eq!(lost_offsets(&platform).await, u64::try_from(lost).unwrap());
    platform.assert_exact().await;
    platform.assert_balanced().await;
    assert_ledger_adds_up(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_parked_range_whose_verdicts_were_written_only_the_rest_is_lost() {
    let platform = Platform::new(1).await;
    let story = Story::new(132, 150);
    let (before, after) = portions(&story);
    let topic = platform.config.topics.booking.clone();
    let (member, records) = parked_at(&platform, ".in_booking", &before, &topic).await;
    let params = format!("kafka_topic = '{topic}'");
    let stored = format!(
        "(SELECT count() FROM duplicates WHERE {params}) + (SELECT count() FROM dead_letters WHERE {params})"
    );
    let stored = platform.number(&format!("({stored})")).await;
    assert!(stored > 0, "the story has no such verdict");
    let id = format!("{topic}/0");
    let one_less = (records - 2).to_string();
    refused(
        &platform,
        &["declare-lost", &id, "--through", &one_less, "--yes"],
        "declared whole",
    )
    .await;

    let said = declare_lost(&platform, &topic, records - 1).await;
    assert!(said.contains("NOT EXACT"), "{said}");
    platform.send(&after);
    platform.drained(story.len()).await;
    member.stop();
    assert_eq!(
        lost_offsets(&platform).await,
        u64::try_from(records).unwrap() - stored
    );
    platform.assert_exact().await;
    platform.assert_balanced().await;
    assert_ledger_adds_up(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_range_that_is_stored_whole_is_not_lost() {
    let platform = Platform::new(1).await;
    let story = Story::new(133, 60);
    let (before, after) = portions(&story);
    let topic = platform.config.topics.user.clone();
    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    let first = Program::start(&config);
    platform.owned_by(1).await;
    proxy.plan(".in_location", 0, Fault::Hold(0));
    platform.send(&before);
    proxy.struck().await;
    let is_written = async || platform.number("(SELECT count() FROM user_events)").await > 0;
    assert!(until(is_written).await);
    first.kill();
    delete_before_the_end(&platform, &topic).await;
    let member = Program::start(&platform.config);
    stopped(&platform, &topic).await;

    let through = of_topic(&platform, &before, &topic) - 1;
    let said = declare_lost(&platform, &topic, through).await;
    assert!(
        said.contains("lost: none") && said.contains("user_events"),
        "{said}"
    );
    assert!(!said.contains("NOT EXACT"), "{said}");
    platform.send(&after);
    platform.drained(story.len()).await;
    member.stop();
    assert_eq!(lost_offsets(&platform).await, 0);
    story.assert_told(&platform).await;
    assert_ledger_adds_up(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_lane_is_resumed_under_a_running_member() {
    let platform = Platform::new(1).await;
    let story = Story::new(134, 40);
    let (before, after) = portions(&story);
    let topic = platform.config.topics.booking.clone();
    let id = format!("{topic}/0");
    let member = Program::start(&platform.config);
    platform.send(&before);
    platform.drained(before.len() as u64).await;
    refused(&platform, &["resume", &id], "does not stand still").await;
    refused(
        &platform,
        &["declare-lost", &id, "--through", "9", "--yes"],
        "does not stand still",
    )
    .await;
    refused(&platform, &["resume", "no.such.topic/0"], "not known").await;
    let mut database = Database::of(&platform).await;
    database
        .execute(&format!(
            "UPDATE ingest_lane SET stopped_reason = 'by hand' WHERE topic = '{topic}'"
        ))
        .await;
    let noticed = async || member.log().contains("taking a lane over again");
    assert!(until(noticed).await);
    // what can be read is not lost
    refused(
        &platform,
        &["declare-lost", &id, "--through", "9999", "--yes"],
        "nothing is known to be lost",
    )
    .await;
    assert_eq!(
        lane(&platform, &topic).await.stopped_reason.unwrap(),
        "by hand"
    );

    let said = done(&platform, &["resume", &id]).await;
    assert!(said.contains("by hand"), "{said}");
    platform.send(&after);
    platform.drained(story.len()).await;
    member.stop();
    story.assert_told(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_holds_the_lane_is_finished_before_anything_is_declared() {
    let platform = Platform::new(1).await;
    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    let story = Story::new(135, 40);
    let topic = platform.config.topics.booking.clone();
    let member = Program::start(&config);
    platform.owned_by(1).await;
    proxy.plan(".in_booking", 0, Fault::Hold(0));
    platform.send(story.records());
    proxy.struck().await;
    platform.opened().await;
    member.kill();
    let mut database = Database::of(&platform).await;
    database
        .execute(&format!(
            "UPDATE ingest_lane SET stopped_reason = 'by hand' WHERE topic = '{topic}'"
        ))
        .await;
    let id = format!("{topic}/0");
    // a range that begins within the batch is all there
    let records: Vec<_> = story.records().cloned().collect();
    let through = (of_topic(&platform, &records, &topic) - 1).to_string();
    refused(
        &platform,
        &["declare-lost", &id, "--through", &through, "--yes"],
        "nothing is known to be lost",
    )
    .await;
    assert_eq!(lane(&platform, &topic).await.owner, None);
    let member = Program::start(&platform.config);
    done(&platform, &["resume", &id]).await;
    platform.drained(story.len()).await;
    member.stop();
    story.assert_told(&platform).await;
}

async fn struck(mut command: Child, proxy: &Proxy) {
    proxy.struck().await;
    command.kill().unwrap();
    command.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declaration_that_dies_half_way_is_finished_by_whoever_takes_the_lane_over() {
    let platform = Platform::new(1).await;
    let topic = platform.config.topics.booking.clone();
    let member = Program::start(&platform.config);
    platform.owned_by(1).await;
    member.stop();
    (0..3).for_each(|_| platform.send_raw(&topic, b"key", b"no event"));
    platform.flush();
    delete_before_the_end(&platform, &topic).await;
    let member = Program::start(&platform.config);
    stopped(&platform, &topic).await;
    member.stop();

    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    proxy.plan("INSERT+INTO", 0, Fault::Hold(0));
    let id = format!("{topic}/0");
    let (mut command, _directory) =
        command(&config, &["declare-lost", &id, "--through", "2", "--yes"]);
    struck(command.spawn().unwrap(), &proxy).await;
    assert_eq!(batches::open(&platform.pool).await.unwrap().len(), 1);
    assert_eq!(lane(&platform, &topic).await.next_offset, 0);

    let member = Program::start(&platform.config);
    platform
        .lanes_are("behind the gap", |lanes| {
            lanes
                .iter()
                .any(|lane| lane.topic == topic && lane.next_offset == 3)
        })
        .await;
    done(&platform, &["resume", &id]).await;
    platform.send_raw(&topic, b"key", b"no event");
    platform.flush();
    platform.drained(4).await;
    member.stop();
    proxy.heal();
    proxy.over().await;
    assert_eq!(lost_offsets(&platform).await, 3);
    platform.assert_balanced().await;
    assert_ledger_adds_up(&platform).await;
}
