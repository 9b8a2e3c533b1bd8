//! Records as they came from Kafka, gathered by lane.

use event_store::Buffer;
use metadata_store::{LaneId, batches::Gap};
use shared_schema::Subscription;
use std::{ops::Range, sync::Arc};
use xxhash_rust::xxh3::Xxh3;

/// A record; its bytes stand in the batch's arena.
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
#[derive(Debug, Clone)]
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
}

/// Records of several lanes with their bytes.
#[derive(Debug, Default)]
pub struct RawBatch {
    /// One entry per lane.
    pub lanes: Vec<LaneRecords>,
    arena: Buffer,
}

impl RawBatch {
    /// A batch over lanes whose bytes stand in `arena`.
    pub fn new(lanes: Vec<LaneRecords>, arena: Buffer) -> Self {
        Self { lanes, arena }
    }

    /// The record's value; a tombstone has none.
    pub fn value(&self, record: &Record) -> &[u8] {
        self.arena.get(record.value.clone()).unwrap_or_default()
    }

    /// The record's key.
    pub fn key(&self, record: &Record) -> &[u8] {
        self.arena.get(record.key.clone()).unwrap_or_default()
    }

    /// All records.
    pub fn len(&self) -> usize {
        self.lanes.iter().map(|lane| lane.records.len()).sum()
    }

    /// Whether there is nothing to write, not even a gap.
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Lets go of all bytes but those of the given records (index of the lane, index of the record in it).
    pub fn keep_bytes_of(&mut self, kept: impl Iterator<Item = (usize, usize)>) {
        let bytes = std::mem::take(&mut self.arena);
        let mut arena = Buffer::default();
        for (lane, record) in kept {
            let lane = self.lanes.get_mut(lane);
            let Some(record) = lane.and_then(|lane| lane.records.get_mut(record)) else {
                continue;
            };
            let slice = |range: &Range<usize>| bytes.get(range.clone()).unwrap_or_default();
            let (key, value) = (slice(&record.key), slice(&record.value));
            *record = store(&mut arena, record.offset, record.timestamp_ms, key, value);
        }
        self.arena = arena;
    }

    /// A digest of the offsets and bytes of one lane, to see whether the log still reads the same.
    pub fn hash(&self, lane: &LaneRecords) -> i64 {
        let mut hasher = Xxh3::new();
        for record in &lane.records {
            hasher.update(&record.offset.to_le_bytes());
            hasher.update(&(self.key(record).len() as u64).to_le_bytes());
            hasher.update(self.key(record));
            hasher.update(&(self.value(record).len() as u64).to_le_bytes());
            hasher.update(self.value(record));
        }
        i64::from_ne_bytes(hasher.digest().to_ne_bytes())
    }
}

/// Appends a record's bytes to an arena.
pub fn store(
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
