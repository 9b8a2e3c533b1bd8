//! What a batch is: everything that is stored before its first byte is written.

use super::Touched;
use crate::LaneId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An intent: what will be written, and everything that a second look could see differently.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// UUIDv7, made by the member.
    pub id: Uuid,
    /// The member that opened it.
    pub owner: String,
    /// Version of the code that turns bytes into rows.
    pub codec: i32,
    /// The time against which ages are judged.
    pub decided_at: DateTime<Utc>,
    /// How many offsets back a duplicate was looked for.
    pub dedup_window: i64,
    /// The age limits that applied, as the member stored them.
    pub age_limits: serde_json::Value,
    /// The hours of events that it adds to. Not known of one that was put back.
    pub touched: Option<Touched>,
    /// One range per lane.
    pub ranges: Vec<Range>,
}

/// What a batch holds of one lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    /// Which lane.
    pub lane: LaneId,
    /// The epoch under which the member owns it. Not stored.
    pub epoch: i64,
    /// First offset.
    pub lo: i64,
    /// Last offset, control records included.
    pub hi: i64,
    /// Records in it.
    pub records: i64,
    /// xxh3 over offsets and bytes.
    pub hash: i64,
    /// Verdicts that bytes, codec and `decided_at` do not determine.
    pub verdicts: Verdicts,
    /// No longer reads as stored; its lane is stopped.
    pub parked: bool,
    /// Which of its batch's omissions it was first part of, counted from 1: what was inserted of the batch since lacks
    /// it. It stays when the range reads again.
    pub omission: Option<i32>,
}

/// Verdicts that a second look could see differently.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdicts {
    /// (offset, offset that it repeats).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<(i64, i64)>,
    /// (offset, offset of the event whose id it reuses for another payload).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reused_ids: Vec<(i64, i64)>,
    /// Offsets without a record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

/// A range of offsets at which the log holds no record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// First offset.
    pub lo: i64,
    /// Last offset.
    pub hi: i64,
    /// `control`: the range was read again and holds no record (markers of transactions, aborted records); or `lost`, by
    /// an operator's command. `compacted` is reserved: a topic that is compacted is refused by `topics check`, and what
    /// it has removed is told as `control`.
    pub cause: String,
}
