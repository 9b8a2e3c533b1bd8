//! Reading ranges of partitions again, outside the group: for a recovery, and to prove a gap.

use crate::{
    batch::{LaneRecords, RawBatch, Record, store},
    config::KafkaConfig,
    kafka::{bounds, partitions},
    stopped,
};
use event_store::Buffer;
use metadata_store::{LaneId, batches::Range};
use rdkafka::{
    Message,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    topic_partition_list::Offset,
};
use shared_schema::Subscriptions;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long the log may keep silent before reading it again is given up, to be tried anew.
const SILENCE: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(100);
/// Stands for the digest of a range whose digest was not kept.
pub(crate) const UNKNOWN_HASH: i64 = 0;

/// Why ranges could not be read again.
#[derive(Debug, thiserror::Error)]
pub enum RereadError {
    /// Kafka did not answer.
    #[error("cannot read Kafka again")]
    Kafka(#[from] KafkaError),
    /// Another member may read it, or this one with other settings.
    #[error(
        "the batch holds records of {0}, which this member does not subscribe to: add it to the topics again until the batch is finished"
    )]
    Unsubscribed(String),
    /// Nothing came for a while.
    #[error("Kafka sent nothing for {} s", SILENCE.as_secs())]
    Silent,
}

/// Ranges that were read again.
#[derive(Debug)]
pub(crate) struct Reread {
    /// Those that read as stored.
    pub(crate) raw: RawBatch,
    /// Those that do not, with the reason for which their lanes stop.
    pub(crate) changed: Vec<(LaneId, String)>,
}

/// Reads the ranges of a stored batch again and compares them with their digests. Blocks.
pub(crate) fn ranges(
    config: &KafkaConfig,
    sources: &Subscriptions,
    stored: &[Range],
) -> Result<Reread, RereadError> {
    let consumer: BaseConsumer = config
        .reader()
        .set("enable.partition.eof", "false")
        .create()?;
    let mut reread = Reread {
        raw: RawBatch::default(),
        changed: Vec::new(),
    };
    for range in stored {
        let Some(source) = sources.by_topic(&range.lane.topic) else {
            return Err(RereadError::Unsubscribed(range.lane.topic.clone()));
        };
        let mut arena = Buffer::default();
        match read_range(&consumer, range, &mut arena)? {
            Ok(records) => {
                let records = LaneRecords {
                    lane: range.lane.clone(),
                    epoch: range.epoch,
                    source: Arc::new(source.clone()),
                    lo: range.lo,
                    hi: range.hi,
                    records,
                    gaps: range.verdicts.gaps.clone(),
                    arena,
                };
                if range.hash == UNKNOWN_HASH || range.hash == records.hash() {
                    reread.raw.lanes.push(records);
                } else {
                    let other = stopped::reason("its records are no longer those that were stored");
                    reread.changed.push((records.lane, other));
                }
            }
            Err(difference) => {
                let changed = (range.lane.clone(), stopped::reason(&difference));
                reread.changed.push(changed);
            }
        }
    }
    Ok(reread)
}

/// The records of a range, or why there are others.
fn read_range(
    consumer: &BaseConsumer,
    range: &Range,
    arena: &mut Vec<u8>,
) -> Result<Result<Vec<Record>, String>, RereadError> {
    let wanted = usize::try_from(range.records).unwrap_or(usize::MAX);
    let mut records = Vec::new();
    if wanted == 0 {
        // its gaps are stored, and the log need not have their offsets any more
        return Ok(Ok(records));
    }
    let (low, high) = bounds(consumer, &range.lane)?;
    if low > range.lo {
        return Ok(Err(format!("its log begins at {low} now")));
    }
    if high <= range.hi {
        return Ok(Err(format!("its log ends at {high} now")));
    }
    consumer.assign(&partitions([(&range.lane, Offset::Offset(range.lo))])?)?;
    let mut heard = Instant::now();
    while records.len() < wanted {
        match consumer.poll(POLL) {
            Some(Ok(message)) if !is_of(&range.lane, &message) || message.offset() < range.lo => {}
            Some(Ok(message)) if message.offset() > range.hi => {
                return Ok(Err(format!(
                    "{} of {wanted} records are left of it",
                    records.len()
                )));
            }
            Some(Ok(message)) => {
                heard = Instant::now();
                records.push(keep(arena, &message));
            }
            Some(Err(error)) if is_final(&error) => return Err(error.into()),
            Some(Err(_)) | None if heard.elapsed() > SILENCE => return Err(RereadError::Silent),
            Some(Err(_)) | None => {}
        }
    }
    consumer.unassign()?;
    Ok(Ok(records))
}

/// Copies a message into an arena.
pub(crate) fn keep(arena: &mut Vec<u8>, message: &impl Message) -> Record {
    let timestamp_ms = message.timestamp().to_millis().unwrap_or_default();
    let key = message.key().unwrap_or_default();
    store(
        arena,
        message.offset(),
        timestamp_ms,
        key,
        message.payload().unwrap_or_default(),
    )
}

fn is_final(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::UnknownTopicOrPartition)
    )
}

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

fn is_of(lane: &LaneId, message: &impl Message) -> bool {
    message.topic() == lane.topic && message.partition() == lane.partition
}
