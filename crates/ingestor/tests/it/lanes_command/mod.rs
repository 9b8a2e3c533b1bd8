//! What an operator says to partitions that stand still.

mod gone;
mod parked;
mod resumed;
pub(crate) mod retired;
mod returned;
mod unread;

use crate::{
    log_faults::delete_before_the_end,
    member::{Program, write_config},
    platform::{Platform, until},
    story::Story,
};
use ingestor::Config;
use metadata_store::{batches, lanes, lanes::Lane};
use simulator::Record;
use std::process::{Command, Stdio};
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

pub(crate) async fn done(platform: &Platform, arguments: &[&str]) -> String {
    let (well, said) = say(platform, arguments).await;
    assert!(well, "{arguments:?}: {said}");
    said
}

pub(crate) async fn refused(platform: &Platform, arguments: &[&str], why: &str) {
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

pub(crate) async fn lane(platform: &Platform, topic: &str) -> Lane {
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

pub(crate) async fn lost_offsets(platform: &Platform) -> u64 {
    let lost = "(SELECT sum(last_offset - first_offset + 1) FROM ingest_gaps WHERE cause = 'lost')";
    platform.number(lost).await
}

/// What the ledger says adds up to the offsets of all lanes, each told once.
pub(crate) async fn assert_ledger_adds_up(platform: &Platform) {
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
    let halves: [_; 2] = story.split(2).try_into().unwrap();
    halves.into()
}

fn of_topic(platform: &Platform, records: &[Record], topic: &str) -> i64 {
    let is_of = |record: &&Record| platform.config.topics.topic_of(record.topic) == topic;
    i64::try_from(records.iter().filter(is_of).count()).unwrap()
}

/// A member that has found three records of a topic deleted before it could read them.
async fn before_deleted_records(platform: &Platform, topic: &str) -> Program {
    let member = Program::start(&platform.config);
    platform.owned_by(1).await;
    member.stop();
    (0..3).for_each(|_| platform.send_raw(topic, b"key", b"no event"));
    platform.flush();
    delete_before_the_end(platform, topic).await;
    let member = Program::start(&platform.config);
    stopped(platform, topic).await;
    platform.owned_by(1).await;
    member
}
