//! Membership of the consumer group: lanes come and go in the callbacks of a poll.
//!
//! A callback promises nothing about a lane that comes: it is assigned and paused, and taken over beside the polls.

use super::takeover::TakeOver;
use crate::{
    board::Board,
    kafka::{lane_at, partitions},
};
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
    /// The group gave us these lanes; they must be taken over before they are read.
    Assigned(Vec<LaneId>),
    /// The group took these lanes.
    Revoked(Vec<LaneId>),
    /// The take-over of this number is done; these lanes may be read from their next offset on.
    TakenOver(u64, Vec<Lane>),
    /// PostgreSQL does not know these lanes as we do, who own them under these epochs.
    OutOfStep(Vec<(LaneId, i64)>),
}

/// The context of the consumer.
pub(crate) struct Group {
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

    pub(super) fn push(&self, change: Change) {
        self.changes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(change);
    }

    fn assign(&self, consumer: &BaseConsumer<Self>, assigned: &TopicPartitionList) {
        let ids = ids(assigned);
        // where to read from is not known yet; should a record come before the pause, nobody takes it
        let list = partitions(ids.iter().map(|lane| (lane, Offset::End)));
        let paused = list.and_then(|list| {
            consumer.incremental_assign(&list)?;
            consumer.pause(&list)
        });
        if let Err(error) = paused {
            // not reading them loses nothing: their offsets stay where they are
            error!(%error, "lanes could not be assigned");
        }
        info!(lanes = ids.len(), "lanes assigned");
        self.push(Change::Assigned(ids));
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, revoked: &TopicPartitionList) {
        let ids = ids(revoked);
        self.takeover.give_up(&ids);
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
    list.elements().iter().map(lane_at).collect()
}
