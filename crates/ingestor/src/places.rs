//! Facts by their places in Kafka, as settlings and repairs ask for them in SQL, and the buckets in which they
//! wait. `settled` is a subquery in brackets over the settlements.
//!
//! A bucket below `FIRST_LEFT_OVER` is ten seconds of the time at which its facts were judged.

use event_store::Params;
use metadata_store::LaneId;
use shared_schema::Domain;
use std::collections::BTreeMap;

/// From here on, and below `FIRST_OF_REPAIRS`, are the buckets in which settlings bring together what goes on waiting.
pub(crate) const FIRST_LEFT_OVER: u64 = 1_000_000_000_000;
/// From here on are the buckets of repairs. Each attempt has its own, which no settling and no other batch will ever
/// number so. A settling may take such facts before their batch is closed.
pub(crate) const FIRST_OF_REPAIRS: u64 = 1_000_000_000_000_000_000;

/// The condition for places in ranges of lanes, each told by its first and last offset, with the values of its places.
///
/// Its length depends on the number of topics and not on that of lanes: it stands in statements that ClickHouse takes
/// from a request's address only up to 128 KiB. The bounds over all lanes of a topic are for the index, which cannot
/// make use of each lane's own.
pub fn in_ranges<'a>(ranges: impl IntoIterator<Item = (&'a LaneId, i64, i64)>) -> (String, Params) {
    let mut topics: BTreeMap<&str, Ranges> = BTreeMap::new();
    for (lane, first, last) in ranges {
        let topic = topics.entry(&lane.topic).or_default();
        topic.partitions.push(unsigned(lane.partition));
        topic.first.push(unsigned(first));
        topic.last.push(unsigned(last));
    }
    let mut conditions = vec!["false".to_owned()];
    let mut params = Params::new();
    for (index, (topic, ranges)) in topics.iter().enumerate() {
        conditions.push(ranges.condition(index));
        params = params
            .with(&format!("topic_{index}"), *topic)
            .with(&format!("partitions_{index}"), ranges.partitions.as_slice())
            .with(&format!("first_{index}"), ranges.first.as_slice())
            .with(&format!("last_{index}"), ranges.last.as_slice());
    }
    (conditions.join(" OR "), params)
}

/// Ranges of a topic: the n-th offsets are those of the n-th partition.
#[derive(Default)]
struct Ranges {
    partitions: Vec<u64>,
    first: Vec<u64>,
    last: Vec<u64>,
}

impl Ranges {
    fn condition(&self, index: usize) -> String {
        let least = self.first.iter().min().copied().unwrap_or_default();
        let greatest = self.last.iter().max().copied().unwrap_or_default();
        let partitions = format!("{{partitions_{index}:Array(UInt32)}}");
        let own = |bound: &str| {
            format!(
                "transform(kafka_partition, {partitions}, {{{bound}_{index}:Array(UInt64)}}, toUInt64(0))"
            )
        };
        format!(
            "(kafka_topic = {{topic_{index}:String}} AND kafka_partition IN {partitions} \
                 AND kafka_offset BETWEEN {least} AND {greatest} \
                 AND kafka_offset BETWEEN {} AND {})",
            own("first"),
            own("last")
        )
    }
}

fn unsigned(number: impl Into<i64>) -> u64 {
    u64::try_from(number.into()).unwrap_or_default()
}

/// The columns of a place.
pub(crate) const PLACE: &str = "kafka_topic, kafka_partition, kafka_offset";
/// The same as one value.
const PLACE_TEXT: &str =
    "concat(kafka_topic, '/', toString(kafka_partition), '/', toString(kafka_offset))";

/// The condition for a domain's rows that lack the region which the settlements know.
pub(crate) fn without_region(settled: &str) -> String {
    format!("NOT region_settled AND ({PLACE}) IN (SELECT {PLACE} FROM {settled})")
}

/// Writes the settled regions into those of the domain's own rows that meet the condition and lack them. May be
/// repeated.
///
/// `transform` looks a place up in arrays that are read once; a dictionary over the settlements, asked for every block
/// of rows, took seventeen times the CPU.
pub(crate) fn write_regions(
    database: &str,
    domain: Domain,
    settled: &str,
    condition: &str,
) -> String {
    // in one order, so that the n-th place has the n-th region
    let ordered = format!("(SELECT * FROM {settled} ORDER BY {PLACE})");
    let region = |field: &str| {
        format!(
            "transform({PLACE_TEXT}, (SELECT groupArray({PLACE_TEXT}) FROM {ordered}), \
                 (SELECT groupArray(toString({field})) FROM {ordered}), toString({field}))"
        )
    };
    format!(
        "UPDATE {database}.{} SET state = {}, city = {}, region_settled = true WHERE {condition} AND {}",
        domain.events_table(),
        region("state"),
        region("city"),
        without_region(settled),
    )
}
