//! Topics that are deleted while a batch of theirs is open.

use super::{
    assert_ledger_adds_up, done, lane, lost_offsets, of_topic, refused,
    retired::{delete, make_anew},
    say, stopped,
};
use crate::{
    member::Program,
    own,
    platform::Platform,
    proxy::{Fault, Proxy},
    story::Story,
};
use devstack::{PrivateStack, Server};
use metadata_store::batches;
use service_runtime::config::HumanDuration;
use simulator::Record;

const INSERT: &str = "query=INSERT+INTO";

/// Whether the only open batch has all offsets of the topic.
async fn is_held_whole(platform: &Platform, topic: &str, offsets: i64) -> bool {
    let stored = batches::load(&platform.pool, platform.opened().await).await;
    let mut ranges = stored.unwrap().batch.ranges.into_iter();
    ranges.any(|range| range.lane.topic == topic && range.lo == 0 && range.hi == offsets - 1)
}

/// Members whose topic of bookings went away in the middle of a batch that is open.
struct Interrupted {
    platform: Platform,
    _stack: PrivateStack,
    member: Program,
    topic: String,
    bookings: i64,
}

impl Interrupted {
    /// All but the bookings is durable, and their lane stands still.
    async fn by(seed: u64, gone: impl AsyncFn(&Platform, &str)) -> Self {
        let (mut platform, stack) = own::platform(Server::ClickHouse, 1).await;
        // all records are in one batch
        platform.config.batch.max_age = HumanDuration::secs(3);
        let topic = platform.config.topics.booking.clone();
        let story = Story::new(seed, 60);
        let records: Vec<Record> = story.records().cloned().collect();
        let bookings = of_topic(&platform, &records, &topic);
        let (first, _proxy) = Program::struck(&platform, INSERT, Fault::Hold(0), &records).await;
        assert!(is_held_whole(&platform, &topic, bookings).await);
        stack.kill(Server::ClickHouse).unwrap();
        first.kill();
        gone(&platform, &topic).await;
        stack.restart(Server::ClickHouse).unwrap();

        let member = Program::start(&platform.config);
        stopped(&platform, &topic).await;
        platform
            .drained(story.len() - u64::try_from(bookings).unwrap())
            .await;
        platform.assert_exact().await;
        platform.assert_balanced().await;
        Self {
            platform,
            _stack: stack,
            member,
            topic,
            bookings,
        }
    }

    async fn stands_for(&self) -> String {
        let stands = lane(&self.platform, &self.topic).await;
        assert_eq!(stands.next_offset, 0);
        stands.stopped_reason.unwrap()
    }

    /// Its lane can only be retired with what the batch held of it as lost.
    async fn ends_lost(self, refusal: &str) {
        let (platform, topic) = (&self.platform, &self.topic);
        refused(platform, &["retire", topic], refusal).await;
        let said = done(platform, &["retire", topic, "--force", "--yes"]).await;
        let is_told = format!("is retired at {}", self.bookings);
        assert!(said.contains(&is_told), "{said}");
        self.member.stop();
        assert!(lane(platform, topic).await.is_retired());
        let lost = u64::try_from(self.bookings).unwrap();
        assert_eq!(lost_offsets(platform).await, lost);
        platform.assert_exact().await;
        platform.assert_balanced().await;
        assert_ledger_adds_up(platform).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_deleted_in_the_middle_of_an_open_batch_stops_its_lane_and_no_other() {
    let interrupted = Interrupted::by(161, delete).await;
    let reason = interrupted.stands_for().await;
    assert!(
        reason.contains("does not have the partition")
            && reason.ends_with("`ingestor lanes retire`"),
        "{reason}"
    );
    interrupted.ends_lost("were not read").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_made_anew_in_the_middle_of_an_open_batch_is_retired_where_its_old_log_ended() {
    let made_anew = async |platform: &Platform, topic: &str| {
        delete(platform, topic).await;
        make_anew(platform, topic).await;
    };
    let interrupted = Interrupted::by(162, made_anew).await;
    let reason = interrupted.stands_for().await;
    assert!(reason.contains("its log ends at 0 now"), "{reason}");
    interrupted.ends_lost("Kafka has it").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_deleted_topics_alone_is_finished_by_whoever_retires_them() {
    let mut platform = Platform::new(1).await;
    platform.config.batch.max_age = HumanDuration::secs(3);
    let topic = platform.config.topics.booking.clone();
    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    let member = Program::start(&config);
    platform.owned_by(1).await;
    proxy.plan(INSERT, 0, Fault::Hold(0));
    (0..3).for_each(|_| platform.send_raw(&topic, b"key", b"no event"));
    platform.flush();
    proxy.struck().await;
    assert!(is_held_whole(&platform, &topic, 3).await);
    member.kill();
    delete(&platform, &topic).await;

    refused(&platform, &["retire", &topic], "say with --force").await;
    let open = batches::open(&platform.pool).await.unwrap();
    let force = ["retire", &topic, "--force"];
    let (well, said) = say(&platform, &force).await;
    assert!(
        !well && said.contains("is finished first") && said.contains("add --yes"),
        "{said}"
    );
    assert_eq!(batches::open(&platform.pool).await.unwrap(), open);
    assert!(!lane(&platform, &topic).await.is_retired());
    let said = done(&platform, &["retire", &topic, "--force", "--yes"]).await;
    assert!(said.contains("is retired at 3"), "{said}");
    assert!(batches::open(&platform.pool).await.unwrap().is_empty());
    assert_eq!(lost_offsets(&platform).await, 3);
    platform.assert_balanced().await;
    assert_ledger_adds_up(&platform).await;
}
