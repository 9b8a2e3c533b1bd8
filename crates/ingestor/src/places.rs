//! Facts by their places in Kafka, as settlings and late repairs ask for them in SQL, and the buckets in which they
//! wait. `settled` is a subquery in brackets over the settlements.
//!
//! A bucket below [`FIRST_LEFT_OVER`] is ten seconds of the time at which its facts were judged.

use shared_schema::Domain;

/// From here on, and below [`FIRST_OF_REPAIRS`], are the buckets in which settlings bring together what goes on waiting.
pub(crate) const FIRST_LEFT_OVER: u64 = 1_000_000_000_000;
/// From here on are the buckets of late repairs. Each attempt has its own, which no settling and no other batch will
/// ever number so.
pub(crate) const FIRST_OF_REPAIRS: u64 = 1_000_000_000_000_000_000;

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
