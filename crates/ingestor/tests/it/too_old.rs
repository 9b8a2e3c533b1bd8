//! Batches that are so old that ClickHouse has let go of what tells its rows apart.

use crate::{
    admin_port::{is_ready, with_admin_port},
    lanes_command::{assert_ledger_adds_up, done, lane, lost_offsets, refused, retired::delete},
    member::Program,
    platform::{Platform, until},
    postgres::Database,
    proxy::Fault,
    settling::{assert_settled, settled},
    story::Story,
};
use metadata_store::{
    batches::{self, Batch},
    lanes,
    lanes::Lane,
};

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
        let (id, last) = (lane.id().to_string(), (next - 1).to_string());
        refused(
            &platform,
            &["declare-lost", &id, "--through", &last, "--yes"],
            "nothing of that can be declared lost",
        )
        .await;
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
async fn what_went_back_too_far_of_a_deleted_topic_is_neither_lost_nor_forgotten() {
    let platform = Platform::new(1).await;
    let mut database = Database::of(&platform).await;
    let topic = platform.config.topics.booking.clone();
    let story = Story::new(193, 60);
    let member = Program::start(&platform.config);
    platform.send(story.records());
    platform.drained(story.len()).await;
    settled(&platform).await;
    member.stop();
    grow_old(&platform).await;
    let of_topic =
        |next: &str| format!("UPDATE ingest_lane SET next_offset = {next} WHERE topic = '{topic}'");
    database.execute(&of_topic("first_offset")).await;
    delete(&platform, &topic).await;

    let before = lane(&platform, &topic).await;
    let force = ["retire", &topic, "--force", "--yes"];
    refused(&platform, &force, ALARM).await;
    assert_eq!(lane(&platform, &topic).await, before, "it was touched");
    let end = before.end_offset.unwrap();
    // more ranges than a command reads
    let offset = format!("toUInt64({end} + arrayJoin(range(1100)))");
    platform
        .execute(&format!(
            "INSERT INTO ingest_ledger SELECT * REPLACE ({offset} AS first_offset, {offset} AS last_offset) \
             FROM (SELECT * FROM ingest_ledger WHERE kafka_topic = '{topic}' AND first_offset = 0)"
        ))
        .await;
    let names = |next: i64| format!("next_offset in ingest_lane to {next} ");
    refused(&platform, &force, &names(end + 1100)).await;
    platform
        .execute(&format!(
            "ALTER TABLE ingest_ledger DELETE WHERE kafka_topic = '{topic}' AND first_offset >= {end} \
             SETTINGS mutations_sync = 1"
        ))
        .await;
    refused(&platform, &force, &names(end)).await;
    // as it says
    database.execute(&of_topic(&end.to_string())).await;
    done(&platform, &force).await;
    assert!(lane(&platform, &topic).await.is_retired());
    assert_eq!(lost_offsets(&platform).await, 0);
    story.assert_told(&platform).await;
    assert_ledger_adds_up(&platform).await;
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

/// Lanes of a batch that was decided 22 days ago, held by a member that cannot finish it.
struct Aged {
    platform: Platform,
    batch: Batch,
    member: Program,
}

impl Aged {
    /// Its member died while the request with these words was on its way, and what is `written` before had been.
    async fn at(words: &str, story: &Story, written: &str) -> Self {
        let platform = Platform::new(1).await;
        let mut database = Database::of(&platform).await;
        let hold = Fault::Hold(0);
        let (first, _proxy) = Program::struck(&platform, words, hold, story.records()).await;
        let id = platform.opened().await;
        let is_written = async || platform.number(written).await == 1;
        assert!(until(is_written).await, "the rest is not written");
        first.kill();
        let park = ["park", &id.to_string(), "--yes"];
        refused(&platform, &park, "it can be told what is there").await;
        database
            .execute("UPDATE ingest_batch SET decided_at = decided_at - interval '22 days'")
            .await;
        grow_old(&platform).await;
        let member = Program::start(&platform.config);
        let advice = format!("`ingestor lanes park {id}` ends it");
        assert!(until(async || member.log().contains(&advice)).await);
        let stored = batches::load(&platform.pool, id).await.unwrap();
        let batch = stored.batch;
        Self {
            platform,
            batch,
            member,
        }
    }

    /// Every lane of the batch stands still where it stood, for a reason with these words, and nothing was written.
    async fn is_parked(&self, reason: &str) {
        let platform = &self.platform;
        let id = self.batch.id.to_string();
        // a loaded machine may have cut the batch short, and what other lanes hold is written meanwhile
        let topics = self
            .batch
            .ranges
            .iter()
            .map(|range| format!("'{}'", range.lane.topic));
        let topics = topics.collect::<Vec<_>>().join(", ");
        // whatever repairs it writes verdicts or typed rows, too
        let rows = &format!(
            "(SELECT count() FROM merge(currentDatabase(), '^(events_raw|ingest_ledger|ingest_gaps|dead_letters|duplicates|[a-z]+_events)$') \
              WHERE kafka_topic IN ({topics}))"
        );
        let before = platform.number(rows).await;
        refused(platform, &["park", &id], "add --yes").await;
        assert_eq!(platform.opened().await, self.batch.id);
        let said = done(platform, &["park", &id, "--yes"]).await;
        refused(platform, &["park", &id, "--yes"], "is closed already").await;
        assert_eq!(platform.number(rows).await, before);
        for range in &self.batch.ranges {
            let stands = lane(platform, &range.lane.topic).await;
            assert_eq!((stands.next_offset, stands.open_batch), (range.lo, None));
            let stopped = stands.stopped_reason.unwrap();
            assert!(
                stopped.contains(reason) && said.contains(&stopped),
                "{stopped}: {said}"
            );
        }
    }
}

/// PostgreSQL goes back to where this batch was parked, and nothing was declared about it yet.
async fn declarations_are_forgotten(platform: &Platform, parked: &Batch) {
    let mut database = Database::of(platform).await;
    let id = parked.id;
    for statement in [
        format!("DELETE FROM ingest_range WHERE batch_id <> '{id}'"),
        format!("DELETE FROM ingest_batch WHERE id <> '{id}'"),
        format!(
            "UPDATE ingest_lane l SET next_offset = r.lo, stopped_reason = 'parked' FROM ingest_range r \
             WHERE r.batch_id = '{id}' AND l.topic = r.topic AND l.partition = r.partition"
        ),
    ] {
        database.execute(&statement).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_open_for_too_long_and_not_begun_is_parked_and_read_again() {
    let story = Story::new(194, 60);
    let aged = Aged::at("query=INSERT+INTO", &story, "1").await;
    aged.is_parked("was written; `ingestor lanes resume`").await;
    for range in &aged.batch.ranges {
        done(&aged.platform, &["resume", &range.lane.to_string()]).await;
    }
    assert_settled(&aged.platform, &story, aged.member).await;
    assert_ledger_adds_up(&aged.platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_open_for_too_long_and_begun_is_parked_and_declared_lost_where_it_has_no_verdict()
 {
    let story = Story::new(195, 60);
    let all_but_locations = "((SELECT sum(accepted) FROM ingest_ledger WHERE NOT endsWith(kafka_topic, '.location')) \
        = (SELECT count() FROM events_raw))";
    let aged = Aged::at(".in_location", &story, all_but_locations).await;
    let untold = "cannot tell any more what is there of its offsets";
    aged.is_parked(untold).await;
    let platform = &aged.platform;
    let location = &platform.config.topics.location;
    let verdicts = format!(
        "((SELECT count() FROM duplicates WHERE kafka_topic = '{location}') \
        + (SELECT count() FROM dead_letters WHERE kafka_topic = '{location}'))"
    );
    let verdicts = platform.number(&verdicts).await;
    let mut lost = 0;
    for range in &aged.batch.ranges {
        let id = range.lane.to_string();
        // it is neither read again nor repaired
        done(platform, &["resume", &id]).await;
        let stands_again = |lanes: &[Lane]| {
            let mut stopped = stopped(lanes);
            stopped.any(|(lane, reason)| lane.id() == range.lane && reason.contains(untold))
        };
        platform.lanes_are("stopped again", stands_again).await;
        let through = range.hi.to_string();
        let declare = ["declare-lost", &id, "--through", &through, "--yes"];
        let said = done(platform, &declare).await;
        assert!(said.contains("NOT EXACT"), "{said}");
        if range.lane.topic == *location {
            lost = u64::try_from(range.hi - range.lo + 1).unwrap() - verdicts;
        }
    }
    assert!(lost > 0);
    platform.drained(story.len()).await;
    settled(platform).await;
    aged.member.stop();
    declarations_are_forgotten(platform, &aged.batch).await;
    let member = Program::start(&platform.config);
    for range in &aged.batch.ranges {
        let (id, through) = (range.lane.to_string(), range.hi.to_string());
        let declare = ["declare-lost", &id, "--through", &through, "--yes"];
        refused(platform, &declare, "`ingestor lanes resume` recovers it").await;
        done(platform, &["resume", &id]).await;
        let goes_on = |lanes: &[Lane]| {
            let mut lanes = lanes.iter();
            lanes.any(|lane| {
                lane.id() == range.lane
                    && lane.next_offset > range.hi
                    && lane.stopped_reason.is_none()
            })
        };
        platform.lanes_are("put back", goes_on).await;
    }
    platform.drained(story.len()).await;
    member.stop();
    assert_eq!(lost_offsets(platform).await, lost);
    platform.assert_exact().await;
    platform.assert_balanced().await;
    assert_ledger_adds_up(platform).await;
}
