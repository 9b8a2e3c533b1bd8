//! Twice a second: ask Kafka for its ends, and store how far every lane is complete, after all partitions that it has are
//! known, of other members too: nobody may take for complete what lies in one of which nobody knows. Beside it: commits
//! to the group, and forgetting what was closed long ago.

use crate::{
    board::Board,
    intake::Group,
    kafka::{existence, lane_at, partitions},
    recover::Recovery,
    ticks,
};
use metadata_store::{LaneId, Pool, StoreError, batches, lanes, settlings};
use rdkafka::{
    TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::{KafkaError, KafkaResult},
    topic_partition_list::Offset,
};
use service_runtime::{clock::Clock, telemetry::chain};
use shared_schema::Subscriptions;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

const INTERVAL: Duration = Duration::from_millis(500);
/// Between two rounds of forgetting; each forgets up to 10,000 batches.
const TIDY_INTERVAL: Duration = Duration::from_secs(60);
const KAFKA_TIMEOUT: Duration = Duration::from_secs(5);

/// Reports until it is stopped. It does not end while Kafka is asked, and then has no consumer any more.
pub(crate) async fn report(
    consumer: Arc<BaseConsumer<Group>>,
    board: Arc<Board>,
    recovery: Recovery,
    stop: CancellationToken,
) {
    let Recovery { pool, clock, .. } = &recovery;
    let mut ticks = ticks::every(INTERVAL);
    let mut announced = BTreeSet::new();
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let lanes = board.lanes();
        if lanes.is_empty() {
            continue;
        }
        let asked_at = clock.now();
        let (asked, sources) = (consumer.clone(), recovery.sources.clone());
        let asking = move || {
            let ends = ends(&asked, &lanes)?;
            Ok::<_, KafkaError>((ends, others(&asked, &sources, &lanes)))
        };
        let (ends, others) = match tokio::task::spawn_blocking(asking).await {
            Ok(Ok(told)) => told,
            Ok(Err(error)) => {
                warn!(%error, "Kafka does not tell the ends of partitions");
                continue;
            }
            Err(_) => return,
        };
        let progress = board.progress(&ends, asked_at);
        let unknown: Vec<LaneId> = others.difference(&announced).cloned().collect();
        let reporting = async {
            if !unknown.is_empty() {
                lanes::announce(pool, &unknown).await?;
            }
            lanes::report(pool, clock.now(), &progress).await
        };
        match stop.run_until_cancelled(reporting).await {
            Some(Ok(())) => announced.extend(unknown),
            Some(Err(failure)) => {
                warn!(reason = chain(&failure), "progress cannot be stored");
            }
            None => {}
        }
    }
}

/// Forgets what was closed long ago. Runs until it is dropped.
pub(crate) async fn tidy(pool: Pool, clock: Arc<dyn Clock>) {
    let mut ticks = ticks::every(TIDY_INTERVAL);
    loop {
        ticks.tick().await;
        let before = clock.now() - batches::REMEMBERED;
        let forgotten = async {
            let batches = batches::forget_closed(&pool, before).await?;
            Ok::<_, StoreError>(batches + settlings::forget_done(&pool, before).await?)
        };
        match forgotten.await {
            Ok(count) => debug!(count, "forgot closed batches and settlings"),
            Err(failure) => warn!(
                reason = chain(&failure),
                "closed batches cannot be forgotten yet"
            ),
        }
    }
}

/// Kafka's end of every lane, as a reader of committed records sees it. Blocks.
fn ends(consumer: &BaseConsumer<Group>, lanes: &[LaneId]) -> KafkaResult<Vec<(LaneId, i64)>> {
    // the timestamp -1 asks for the end
    let asked = partitions(lanes.iter().map(|lane| (lane, Offset::End)))?;
    let answered: TopicPartitionList = consumer.offsets_for_times(asked, KAFKA_TIMEOUT)?;
    let ends = answered.elements().into_iter().filter_map(|element| {
        match (element.error(), element.offset()) {
            (Ok(()), Offset::Offset(end)) => Some((lane_at(&element), end)),
            _ => None,
        }
    });
    Ok(ends.collect())
}

/// The partitions of the subscribed topics that are not among ours, as far as Kafka tells. Blocks.
fn others(
    consumer: &BaseConsumer<Group>,
    sources: &Subscriptions,
    ours: &[LaneId],
) -> BTreeSet<LaneId> {
    let mut others = BTreeSet::new();
    for topic in sources.topics() {
        match existence::partitions_of(consumer, topic) {
            Ok(all) => others.extend(all.into_iter().map(|partition| LaneId {
                topic: topic.to_owned(),
                partition,
            })),
            Err(error) => warn!(topic, %error, "Kafka does not tell the partitions of a topic"),
        }
    }
    for lane in ours {
        others.remove(lane);
    }
    others
}

/// Next offsets of lanes behind what has become durable.
pub(crate) type Durable = mpsc::UnboundedSender<Vec<(LaneId, i64)>>;

/// Commits what is durable to the group: a hint for lag tools, never read by us.
pub(crate) async fn commit(
    consumer: Arc<BaseConsumer<Group>>,
    mut durable: mpsc::UnboundedReceiver<Vec<(LaneId, i64)>>,
) {
    while let Some(next) = durable.recv().await {
        let list = partitions(
            next.iter()
                .map(|(lane, offset)| (lane, Offset::Offset(*offset))),
        );
        if let Err(error) = list.and_then(|list| consumer.commit(&list, CommitMode::Async)) {
            debug!(%error, "the group was not told what is durable");
        }
    }
}
