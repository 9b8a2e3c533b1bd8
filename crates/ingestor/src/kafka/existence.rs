//! Which partitions Kafka has, and which are gone for certain.

use crate::config::KafkaConfig;
use metadata_store::LaneId;
use rdkafka::{
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    metadata::{Metadata, MetadataBroker, MetadataTopic},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::Duration,
};

const TIMEOUT: Duration = Duration::from_secs(15);
/// How often a partition must be missing, and the pause between two looks: what a broker says may be old.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

/// The partitions of a topic; none where Kafka says that there is no such topic. Blocks.
///
/// # Errors
/// When Kafka does not answer, or not for certain.
pub(crate) fn partitions_of<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
) -> KafkaResult<BTreeSet<i32>> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let told = metadata.topics().first();
    let told = told.ok_or(KafkaError::MetadataFetch(RDKafkaErrorCode::BadMessage))?;
    match told.error().map(RDKafkaErrorCode::from) {
        None => Ok(told.partitions().iter().map(|it| it.id()).collect()),
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            Ok(BTreeSet::new())
        }
        Some(code) => Err(KafkaError::MetadataFetch(code)),
    }
}

/// Those of the lanes that Kafka says again and again it does not have, while none of its brokers is missing. Blocks
/// for some seconds where there are any.
///
/// # Errors
/// When Kafka does not answer, or not for certain.
pub(crate) fn gone(config: &KafkaConfig, lanes: BTreeSet<LaneId>) -> KafkaResult<BTreeSet<LaneId>> {
    let consumer: BaseConsumer = config.reader().create()?;
    let mut gone = absent(&consumer, lanes)?;
    for _ in 1..LOOKS {
        if gone.is_empty() {
            break;
        }
        thread::sleep(PAUSE);
        gone = absent(&consumer, gone)?;
    }
    Ok(gone)
}

fn absent(consumer: &BaseConsumer, mut lanes: BTreeSet<LaneId>) -> KafkaResult<BTreeSet<LaneId>> {
    if !is_complete(&consumer.fetch_metadata(None, TIMEOUT)?) {
        return Ok(BTreeSet::new());
    }
    let mut there = BTreeMap::new();
    for LaneId { topic, .. } in &lanes {
        if !there.contains_key(topic) {
            there.insert(topic.clone(), partitions_of(consumer, topic)?);
        }
    }
    let is_there = |lane: &LaneId| {
        let partitions = there.get(&lane.topic);
        partitions.is_some_and(|partitions| partitions.contains(&lane.partition))
    };
    lanes.retain(|lane| !is_there(lane));
    Ok(lanes)
}

/// Whether every broker is there that has a replica of anything.
fn is_complete(cluster: &Metadata) -> bool {
    let brokers = cluster.brokers().iter().map(MetadataBroker::id);
    let whole = cluster
        .topics()
        .iter()
        .filter(|topic| topic.error().is_none());
    let partitions = whole.flat_map(MetadataTopic::partitions);
    let replicas = partitions.flat_map(|partition| partition.replicas());
    are_there(&brokers.collect(), replicas)
}

fn are_there<'a>(brokers: &BTreeSet<i32>, mut replicas: impl Iterator<Item = &'a i32>) -> bool {
    !brokers.is_empty() && replicas.all(|broker| brokers.contains(broker))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_missing_whose_replicas_are_told_of() {
        let brokers = BTreeSet::from([1, 2]);
        assert!(are_there(&brokers, [1, 2, 1].iter()));
        assert!(are_there(&brokers, [].iter()));
        assert!(!are_there(&brokers, [1, 3].iter()));
        assert!(!are_there(&BTreeSet::new(), [].iter()));
    }
}
