//! Reading ranges of partitions again, outside the group.

mod probe;

pub(crate) use probe::{Emptiness, Prober};

use crate::{
    batch::{LaneRecords, RawBatch, Record, keep},
    config::KafkaConfig,
    kafka::{bounds, partitions},
    origins::Origins,
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
        let (mut arena, mut origins) = (Buffer::default(), Origins::default());
        match read_range(&consumer, range, &mut arena, &mut origins)? {
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
                    origins,
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
    origins: &mut Origins,
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
                origins.note(&message);
            }
            Some(Err(error)) if is_final(&error) => return Err(error.into()),
            Some(Err(_)) | None if heard.elapsed() > SILENCE => return Err(RereadError::Silent),
            Some(Err(_)) | None => {}
        }
    }
    consumer.unassign()?;
    Ok(Ok(records))
}

fn is_final(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::UnknownTopicOrPartition)
    )
}

fn is_of(lane: &LaneId, message: &impl Message) -> bool {
    message.topic() == lane.topic && message.partition() == lane.partition
}
