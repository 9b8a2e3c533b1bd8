//! Statements about more lanes than any topic of ours has.

use crate::platform::Platform;
use event_store::{InsertSelect, Params};
use ingestor::places::in_ranges;
use metadata_store::LaneId;

const LANES: i32 = 600;
/// Every offset below this, of every lane.
const OFFSETS: i64 = 700;

/// Three offsets of each lane of one topic, and one of each lane of another, all of them elsewhere.
fn wanted() -> Vec<(LaneId, i64, i64)> {
    let lane = |topic: &str, partition| LaneId {
        topic: topic.to_owned(),
        partition,
    };
    let ranges = (0..LANES).flat_map(|n| {
        let at = i64::from(n);
        [
            (lane("first", n), at, at + 2),
            (lane("second", n), at + 5, at + 5),
        ]
    });
    ranges.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_may_name_the_ranges_of_a_thousand_lanes_twice() {
    let platform = Platform::new(1).await;
    let columns = "kafka_topic, kafka_partition, kafka_offset";
    let every = format!(
        "INSERT INTO settlements ({columns}, settled_at)
         SELECT arrayJoin(['first', 'second', 'third']), number % {LANES}, intDiv(number, {LANES}), now64(3)
         FROM numbers({LANES} * {OFFSETS})"
    );
    let found =
        format!("CREATE TABLE found ENGINE = Memory AS SELECT {columns} FROM settlements LIMIT 0");
    for sql in [every, found] {
        platform.store.execute(&sql, &Params::new()).await.unwrap();
    }

    let wanted = wanted();
    let ranges = wanted
        .iter()
        .map(|(lane, first, last)| (lane, *first, *last));
    let (condition, params) = in_ranges(ranges);
    let places = format!("SELECT {columns} FROM settlements WHERE ({condition})");
    let insert = format!("INSERT INTO found {places} AND ({columns}) IN ({places})");
    let insert = InsertSelect::new(insert, "many lanes", Vec::new()).params(params);
    platform.store.insert_select(insert).await.unwrap();

    let is_wanted = "if(kafka_topic = 'first', kafka_offset BETWEEN kafka_partition AND kafka_partition + 2, \
        kafka_topic = 'second' AND kafka_offset = kafka_partition + 5)";
    let counted = format!("(SELECT countIf({is_wanted}) FROM found)");
    assert_eq!(platform.number(&counted).await, 4 * LANES as u64);
    assert_eq!(
        platform.number("(SELECT count() FROM found)").await,
        4 * LANES as u64
    );
}
