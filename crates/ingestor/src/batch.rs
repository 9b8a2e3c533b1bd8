//! Records as they came from Kafka, gathered by lane.

use crate::origins::Origins;
use event_store::Buffer;
use metadata_store::{
    LaneId,
    batches::{self, Gap, Verdicts},
};
use rdkafka::Message;
use service_runtime::telemetry::trace_context;
use shared_schema::Subscription;
use std::{ops::Range, sync::Arc};
use tracing::Span;
use xxhash_rust::xxh3::Xxh3;

/// A record; its bytes stand in the arena of its lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Kafka's offset.
    pub offset: i64,
    /// Kafka's timestamp, milliseconds since 1970.
    pub timestamp_ms: i64,
    key: Range<usize>,
    value: Range<usize>,
}

/// What a batch holds of one lane, in the order of its offsets.
#[derive(Debug)]
pub struct LaneRecords {
    /// Which lane.
    pub lane: LaneId,
    /// The epoch under which it is owned.
    pub epoch: i64,
    /// What the lane's topic carries.
    pub source: Arc<Subscription>,
    /// First offset of the range.
    pub lo: i64,
    /// Last offset of the range, gaps included.
    pub hi: i64,
    /// The records.
    pub records: Vec<Record>,
    /// Offsets without a record.
    pub gaps: Vec<Gap>,
    /// Keys and values of the records.
    pub arena: Buffer,
    /// The spans that they come from.
    pub origins: Origins,
}

impl LaneRecords {
    /// The record's value; a tombstone has none.
    pub fn value(&self, record: &Record) -> &[u8] {
        self.arena.get(record.value.clone()).unwrap_or_default()
    }

    /// The record's key.
    pub fn key(&self, record: &Record) -> &[u8] {
        self.arena.get(record.key.clone()).unwrap_or_default()
    }

    /// Lets go of all bytes but those of the records with these indexes.
    pub fn keep_bytes_of(&mut self, kept: impl Iterator<Item = usize>) {
        let bytes = std::mem::take(&mut self.arena);
        for index in kept {
            let Some(record) = self.records.get_mut(index) else {
                continue;
            };
            let slice = |range: &Range<usize>| bytes.get(range.clone()).unwrap_or_default();
            let (key, value) = (slice(&record.key), slice(&record.value));
            let (offset, timestamp_ms) = (record.offset, record.timestamp_ms);
            *record = store(&mut self.arena, offset, timestamp_ms, key, value);
        }
    }

    /// What is stored of it in an intent.
    pub fn range(&self, verdicts: Verdicts) -> batches::Range {
        batches::Range {
            lane: self.lane.clone(),
            epoch: self.epoch,
            lo: self.lo,
            hi: self.hi,
            records: i64::try_from(self.records.len()).unwrap_or(i64::MAX),
            hash: self.hash(),
            verdicts,
            parked: false,
            omission: None,
        }
    }

    /// A digest of the offsets and bytes, to see whether the log still reads the same.
    pub fn hash(&self) -> i64 {
        let mut hasher = Xxh3::new();
        for record in &self.records {
            hasher.update(&record.offset.to_le_bytes());
            hasher.update(&(self.key(record).len() as u64).to_le_bytes());
            hasher.update(self.key(record));
            hasher.update(&(self.value(record).len() as u64).to_le_bytes());
            hasher.update(self.value(record));
        }
        i64::from_ne_bytes(hasher.digest().to_ne_bytes())
    }
}

/// Records of several lanes.
#[derive(Debug, Default)]
pub struct RawBatch {
    /// One entry per lane.
    pub lanes: Vec<LaneRecords>,
}

impl RawBatch {
    /// All records.
    pub fn len(&self) -> usize {
        self.lanes.iter().map(|lane| lane.records.len()).sum()
    }

    /// Links a span to those that the records come from.
    pub(crate) fn link(&self, span: &Span) {
        let origins = self.lanes.iter().flat_map(|lane| lane.origins.iter());
        trace_context::link(span, origins);
    }

    /// Whether there is nothing to write, not even a gap.
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }
}

/// Appends a record's bytes to an arena.
pub(crate) fn store(
    arena: &mut Vec<u8>,
    offset: i64,
    timestamp_ms: i64,
    key: &[u8],
    value: &[u8],
) -> Record {
    let start = arena.len();
    arena.extend_from_slice(key);
    let middle = arena.len();
    arena.extend_from_slice(value);
    Record {
        offset,
        timestamp_ms,
        key: start..middle,
        value: middle..arena.len(),
    }
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
