//! Ranges that were parked and read again as they were stored: an older replica led for a while.

use super::{assert_ledger_adds_up, command, done, say, stopped};
use crate::{
    member::Program,
    platform::Platform,
    postgres::Database,
    proxy::{Fault, Proxy},
    story::Story,
};
use metadata_store::{lanes, lanes::Lane};
use service_runtime::config::HumanDuration;
use std::process::Stdio;

const PARTITION: i32 = 1;

/// A lane of bookings whose range of an open batch does not read as stored, beside another lane of bookings that does.
struct Parked {
    platform: Platform,
    database: Database,
    story: Story,
    topic: String,
    member: Program,
}

impl Parked {
    /// Members die one after the other while requests with these words are on their way; what comes before them is
    /// written. Then the range is parked.
    async fn after(deaths: &[&str], seed: u64) -> Self {
        let platform = Platform::new(2).await;
        let story = Story::new(seed, 150);
        let topic = platform.config.topics.booking.clone();
        for (nth, words) in deaths.iter().enumerate() {
            let (proxy, mut config) = Proxy::before_clickhouse(&platform).await;
            // one batch with all that is sent, though lanes begin to be read one after the other
            config.batch.max_age = HumanDuration::secs(10);
            proxy.plan(words, 0, Fault::Hold(0));
            let member = Program::start(&config);
            if nth == 0 {
                platform.owned_by(1).await;
                platform.send(story.records());
            }
            proxy.struck().await;
            member.kill();
        }
        let mut database = Database::of(&platform).await;
        digest(&mut database, &topic, "+ 1").await;
        let member = Program::start(&platform.config);
        stopped(&platform, &topic).await;
        Self {
            platform,
            database,
            story,
            topic,
            member,
        }
    }

    fn id(&self) -> String {
        format!("{}/{PARTITION}", self.topic)
    }

    async fn lane(&self, partition: i32) -> Lane {
        let lanes = lanes::all(&self.platform.pool).await.unwrap();
        let mut lanes = lanes.into_iter();
        lanes
            .find(|lane| lane.topic == self.topic && lane.partition == partition)
            .unwrap()
    }

    /// It reads as it was stored.
    async fn returns(&mut self) {
        digest(&mut self.database, &self.topic, "- 1").await;
    }

    async fn ends_exact(self) {
        self.platform.drained(self.story.len()).await;
        self.member.stop();
        self.story.assert_told(&self.platform).await;
        assert_ledger_adds_up(&self.platform).await;
    }
}

async fn digest(database: &mut Database, topic: &str, change: &str) {
    database
        .execute(&format!(
            "UPDATE ingest_range SET hash = hash {change} WHERE topic = '{topic}' AND partition = {PARTITION} AND records > 0 \
             AND (batch_id, topic, partition) IN (SELECT r.batch_id, r.topic, r.partition FROM ingest_range r \
                 JOIN ingest_lane l ON l.topic = r.topic AND l.partition = r.partition AND l.next_offset = r.lo)"
        ))
        .await;
}

async fn resumed_after(deaths: &[&str], seed: u64) {
    let mut parked = Parked::after(deaths, seed).await;
    parked.returns().await;
    done(&parked.platform, &["resume", &parked.id()]).await;
    parked.ends_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_range_of_which_the_ledger_alone_was_written_is_written_when_it_is_resumed() {
    resumed_after(&[".in_booking"], 141).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_range_without_its_verdicts_gets_them_when_it_is_resumed() {
    resumed_after(&[".dead_letters"], 142).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_range_that_was_in_some_tables_is_not_written_twice_in_those() {
    resumed_after(&[".in_booking", ".booking_events"], 143).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_range_is_left_alone_while_a_neighbour_of_its_batch_is_put_back() {
    let mut parked = Parked::after(&[".in_booking"], 144).await;
    parked.returns().await;
    // the neighbour may still be on its way
    let topic = parked.topic.clone();
    let is_read = |lanes: &[Lane]| {
        let mut lanes = lanes.iter();
        lanes.any(|lane| {
            lane.topic == topic
                && lane.partition == 0
                && lane.open_batch.is_none()
                && lane.end_offset == Some(lane.next_offset)
        })
    };
    parked.platform.lanes_are("read", is_read).await;
    let stands = parked.lane(PARTITION).await;
    let neighbour = parked.lane(0).await;
    parked
        .database
        .execute(&format!(
            "UPDATE ingest_lane SET next_offset = next_offset - 1 WHERE topic = '{}' AND partition = 0",
            parked.topic
        ))
        .await;
    let is_back = |lanes: &[Lane]| {
        let mut lanes = lanes.iter();
        lanes.any(|lane| {
            lane.id() == neighbour.id()
                && lane.next_offset == neighbour.next_offset
                && lane.epoch > neighbour.epoch
                && lane.open_batch.is_none()
        })
    };
    parked.platform.lanes_are("put back", is_back).await;
    let still = parked.lane(PARTITION).await;
    assert_eq!(still.next_offset, stands.next_offset);
    assert!(still.stopped_reason.is_some());
    done(&parked.platform, &["resume", &parked.id()]).await;
    parked.ends_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declaration_that_dies_as_it_corrects_the_ledger_is_finished_although_the_range_returns()
{
    let mut parked = Parked::after(&[".in_booking"], 145).await;
    let stands = parked.lane(PARTITION).await;
    let bounds = ["declare-lost", &parked.id(), "--through", "99999999"];
    let (_, said) = say(&parked.platform, &bounds).await;
    let through = said
        .split_once("must be one of ")
        .and_then(|(_, rest)| rest.split_once(" to "))
        .map(|(least, _)| least.to_owned())
        .unwrap();
    let (proxy, config) = Proxy::before_clickhouse(&parked.platform).await;
    proxy.plan("ALTER TABLE ingest_ledger", 0, Fault::HoldReply);
    let id = parked.id();
    let arguments = ["declare-lost", &id, "--through", &through, "--yes"];
    let (mut command, _directory) = command(&config, &arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut command = command.spawn().unwrap();
    proxy.struck().await;
    proxy.heal();
    proxy.over().await;
    command.kill().unwrap();
    command.wait().unwrap();

    parked.returns().await;
    // either nothing was declared and the range is read, or the declaration stands
    done(&parked.platform, &["resume", &id]).await;
    // one who need not wait until the lane's owner, which is the command, is taken for dead
    parked.member.stop();
    parked.member = Program::start(&parked.platform.config);
    let next: i64 = through.parse::<i64>().unwrap() + 1;
    let is_behind = |lanes: &[Lane]| {
        let mut lanes = lanes.iter();
        lanes.any(|lane| lane.id() == stands.id() && lane.next_offset >= next)
    };
    parked.platform.lanes_are("behind it", is_behind).await;
    parked.platform.drained(parked.story.len()).await;
    parked.member.stop();
    parked.platform.assert_balanced().await;
    assert_ledger_adds_up(&parked.platform).await;
}
