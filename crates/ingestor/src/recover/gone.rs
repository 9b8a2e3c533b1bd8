//! Ranges of partitions that Kafka does not have any more: a topic was deleted, or made anew with fewer partitions.

use crate::{
    config::KafkaConfig,
    kafka::existence,
    reread::{self, Reread, RereadError},
    stopped::GONE,
};
use metadata_store::{LaneId, batches::Range};
use service_runtime::telemetry::chain;
use shared_schema::Subscriptions;
use std::collections::BTreeSet;
use tracing::warn;

/// Reads ranges again. Those whose partition is gone for certain are told as changed. Blocks.
pub(super) fn read_again(
    config: &KafkaConfig,
    sources: &Subscriptions,
    ranges: &[Range],
) -> Result<Reread, RereadError> {
    let failure = match reread::ranges(config, sources, ranges) {
        Err(failure) => failure,
        read => return read,
    };
    let gone = gone(config, ranges);
    if gone.is_empty() {
        return Err(failure);
    }
    let mut left = ranges.to_vec();
    left.retain(|range| !gone.contains(&range.lane));
    let mut reread = reread::ranges(config, sources, &left)?;
    let gone = gone.into_iter().map(|lane| (lane, GONE.to_owned()));
    reread.changed.extend(gone);
    Ok(reread)
}

fn gone(config: &KafkaConfig, ranges: &[Range]) -> BTreeSet<LaneId> {
    // a range without a record is not read
    let read = ranges.iter().filter(|range| range.records > 0);
    let lanes = read.map(|range| range.lane.clone()).collect();
    existence::gone(config, lanes).unwrap_or_else(|failure| {
        warn!(
            reason = chain(&failure),
            "Kafka does not tell which partitions it has"
        );
        BTreeSet::new()
    })
}
