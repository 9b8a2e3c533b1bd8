//! Proving that offsets hold no record.

use super::{POLL, RereadError, SILENCE, is_final, is_of};
use crate::{
    config::KafkaConfig,
    kafka::{bounds, partitions},
};
use metadata_store::LaneId;
use rdkafka::{
    Message,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    topic_partition_list::Offset,
};
use std::time::Instant;

/// What stands between two offsets at which the consumer saw nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Emptiness {
    /// No record: transaction markers, aborted records, or compaction.
    Proved,
    /// Records are there after all, or may still come.
    Refuted,
    /// The log begins later: retention has taken them.
    Lost {
        /// Where it begins.
        begins_at: i64,
    },
}

/// Looks into gaps, with one client for as many as it can.
pub(crate) struct Prober {
    config: KafkaConfig,
    last: Option<(BaseConsumer, LaneId)>,
}

impl Prober {
    /// Connects when it is first asked.
    pub(crate) fn new(config: &KafkaConfig) -> Self {
        Self {
            config: config.clone(),
            last: None,
        }
    }

    /// Reads `[lo, hi]` of a lane again, in which no record was seen. Blocks.
    pub(crate) fn prove_empty(
        &mut self,
        lane: &LaneId,
        lo: i64,
        hi: i64,
    ) -> Result<Emptiness, RereadError> {
        let consumer = self.client(lane)?;
        let found = look(&consumer, lane, lo, hi)?;
        consumer.unassign()?;
        self.last = Some((consumer, lane.clone()));
        Ok(found)
    }

    /// The end of a partition is told by number, without a topic: a late word about another topic's partition of the
    /// same number could be taken for this one's.
    fn client(&mut self, lane: &LaneId) -> Result<BaseConsumer, RereadError> {
        match self.last.take() {
            Some((consumer, last)) if last == *lane || last.partition != lane.partition => {
                Ok(consumer)
            }
            _ => Ok(self
                .config
                .reader()
                .set("enable.partition.eof", "true")
                .create()?),
        }
    }
}

fn look(
    consumer: &BaseConsumer,
    lane: &LaneId,
    lo: i64,
    hi: i64,
) -> Result<Emptiness, RereadError> {
    let (low, high) = bounds(consumer, lane)?;
    if low > lo {
        return Ok(Emptiness::Lost { begins_at: low });
    }
    if high <= hi {
        // it was longer when the gap was seen; the offsets may be given to other records yet
        return Ok(Emptiness::Refuted);
    }
    consumer.assign(&partitions([(lane, Offset::Offset(lo))])?)?;
    let started = Instant::now();
    while started.elapsed() < SILENCE {
        match consumer.poll(POLL) {
            Some(Ok(message)) if !is_of(lane, &message) => {}
            Some(Ok(message)) if message.offset() > hi => return Ok(Emptiness::Proved),
            Some(Ok(_)) => return Ok(Emptiness::Refuted),
            Some(Err(KafkaError::PartitionEOF(partition))) if partition == lane.partition => {
                return Ok(Emptiness::Proved);
            }
            Some(Err(error)) if is_final(&error) => return Err(error.into()),
            Some(Err(_)) | None => {}
        }
    }
    Err(RereadError::Silent)
}
