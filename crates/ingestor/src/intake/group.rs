//! Membership of the consumer group: lanes come and go in the callbacks of a poll.

use super::takeover::TakeOver;
use crate::{board::Board, kafka::partitions};
use metadata_store::{LaneId, lanes, lanes::Lane};
use rdkafka::{
    ClientContext, TopicPartitionList,
    bindings::rd_kafka_resp_err_t,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    topic_partition_list::Offset,
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tracing::{error, info};

/// How long a revocation waits for the open batch. What is not closed by then is recovered by the next owner.
const PATIENCE: Duration = Duration::from_secs(10);

/// A change of what is ours.
#[derive(Debug)]
pub(super) enum Change {
    /// These lanes are ours, from their next offset on.
    Assigned(Vec<Lane>),
    /// These are not.
    Revoked(Vec<LaneId>),
}

/// The context of the consumer.
pub struct Group {
    pub(super) board: Arc<Board>,
    pub(super) takeover: TakeOver,
    changes: Mutex<Vec<Change>>,
}

impl Group {
    pub(super) fn new(board: Arc<Board>, takeover: TakeOver) -> Self {
        Self {
            board,
            takeover,
            changes: Mutex::default(),
        }
    }

    /// What changed since it was last asked.
    pub(super) fn changes(&self) -> Vec<Change> {
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, change: Change) {
        self.changes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(change);
    }

    fn assign(&self, consumer: &BaseConsumer<Self>, assigned: &TopicPartitionList) {
        let ids = ids(assigned);
        let lanes = self.takeover.run(consumer, &ids);
        info!(lanes = lanes.len(), "lanes assigned");
        for lane in &lanes {
            self.board.assign(
                lane.id(),
                lane.epoch,
                lane.next_offset,
                lane.stopped_reason.is_some(),
            );
        }
        let offsets: Vec<_> = lanes
            .iter()
            .map(|lane| (lane.id(), Offset::Offset(lane.next_offset)))
            .collect();
        let assigned = partitions(offsets.iter().map(|(lane, offset)| (lane, *offset)));
        if let Err(error) = assigned.and_then(|list| consumer.incremental_assign(&list)) {
            // not reading them loses nothing: their offsets stay where they are
            error!(%error, "lanes could not be assigned");
        }
        self.push(Change::Assigned(lanes));
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, revoked: &TopicPartitionList) {
        let ids = ids(revoked);
        self.board.leave(&ids, PATIENCE);
        if let Err(error) = consumer.incremental_unassign(revoked) {
            error!(%error, "lanes could not be given up");
        }
        self.takeover
            .block_on(async |pool, owner| lanes::release(pool, owner, &ids).await);
        info!(lanes = ids.len(), "lanes revoked");
        self.push(Change::Revoked(ids));
    }
}

impl ClientContext for Group {}

impl ConsumerContext for Group {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        what: rd_kafka_resp_err_t,
        list: &mut TopicPartitionList,
    ) {
        match what {
            rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                self.assign(consumer, list)
            }
            _ => self.revoke(consumer, list),
        }
    }

    fn main_queue_min_poll_interval(&self) -> rdkafka::util::Timeout {
        rdkafka::util::Timeout::After(Duration::from_millis(100))
    }
}

fn ids(list: &TopicPartitionList) -> Vec<LaneId> {
    let id = |element: rdkafka::topic_partition_list::TopicPartitionListElem<'_>| LaneId {
        topic: element.topic().to_owned(),
        partition: element.partition(),
    };
    list.elements().into_iter().map(id).collect()
}
