//! What is gathered of one topic, by lane.

use super::Taken;
use crate::{
    batch::{LaneRecords, keep},
    board::Board,
    intake::choice::Size,
    kafka::lane_of,
    origins::{ByName, Origins},
};
use event_store::{Buffer, Buffers};
use metadata_store::{LaneId, batches::Gap};
use rdkafka::{Message, Timestamp};
use shared_schema::{GapCause, Subscription};
use std::{collections::BTreeMap, sync::Arc, time::Instant};

/// When a message came to its topic, if the broker says it: what a producer's clock says may be anything.
fn arrived_ms(message: &impl Message) -> Option<i64> {
    match message.timestamp() {
        Timestamp::LogAppendTime(ms) => Some(ms),
        Timestamp::CreateTime(_) | Timestamp::NotAvailable => None,
    }
}

/// A lane of the member.
pub(super) struct Lane {
    epoch: i64,
    pub(super) source: Arc<Subscription>,
    /// Everything before it is gathered, or was.
    pub(super) next: i64,
    /// Whether it takes no more records.
    pub(super) stopped: bool,
    /// The stream of records in which its last one came.
    stream: Option<u64>,
    /// What is gathered of it.
    pub(super) range: Option<LaneRecords>,
    /// When something was last heard of it.
    pub(super) heard: Instant,
    /// Bytes of its last range, as a guess at the next.
    usual: usize,
}

impl Lane {
    pub(super) fn new(epoch: i64, source: Arc<Subscription>, next: i64, stopped: bool) -> Self {
        Self {
            epoch,
            source,
            next,
            stopped,
            stream: None,
            range: None,
            heard: Instant::now(),
            usual: 0,
        }
    }
}

/// The member's lanes of one topic.
#[derive(Default)]
pub(super) struct Topic {
    pub(super) lanes: BTreeMap<i32, Lane>,
    /// What its ranges hold.
    pub(super) size: Size,
    /// When the first of it came.
    pub(super) oldest: Option<Instant>,
}

impl Topic {
    /// The lane is no longer ours; what was gathered of it is dropped.
    pub(super) fn remove(&mut self, partition: i32) {
        let removed = self.lanes.remove(&partition);
        if let Some(range) = removed.and_then(|lane| lane.range) {
            self.size.rows -= range.records.len();
            self.size.bytes -= range.arena.len();
        }
        if self.lanes.values().all(|lane| lane.range.is_none()) {
            self.oldest = None;
        }
    }

    /// Takes a record of the stream, unless offsets before it are missing.
    pub(super) fn take(
        &mut self,
        message: &impl Message<Headers: ByName>,
        stream: u64,
        memory: &Buffers,
        board: &Board,
    ) -> Taken {
        let lane = self.lanes.get_mut(&message.partition());
        let Some(lane) = lane.filter(|lane| !lane.stopped && message.offset() >= lane.next) else {
            return Taken::Ignored;
        };
        let (lo, hi) = (lane.next, message.offset() - 1);
        if lo <= hi && lane.stream != Some(stream) {
            return Taken::Gap { lo, hi };
        }
        let range = lane.range.get_or_insert_with(|| LaneRecords {
            arena: memory.take(lane.usual),
            ..open_range(lane_of(message), lane.epoch, &lane.source, lo)
        });
        if lo <= hi {
            range.gaps.push(without_record(lo, hi));
        }
        let before = range.arena.len();
        let record = keep(&mut range.arena, message);
        range.origins.note(message);
        if range.records.is_empty() {
            board.gathering(&range.lane, arrived_ms(message));
            lane.heard = Instant::now();
        }
        range.hi = record.offset;
        lane.next = record.offset + 1;
        lane.stream = Some(stream);
        range.records.push(record);
        self.size.rows += 1;
        self.size.bytes += range.arena.len() - before;
        self.oldest.get_or_insert_with(Instant::now);
        Taken::Kept
    }

    /// Accounts for offsets without a record.
    pub(super) fn skip(&mut self, id: &LaneId, lo: i64, hi: i64) {
        let Some(lane) = self.lanes.get_mut(&id.partition) else {
            return;
        };
        let range = lane
            .range
            .get_or_insert_with(|| open_range(id.clone(), lane.epoch, &lane.source, lo));
        range.hi = hi;
        lane.next = hi + 1;
        range.gaps.push(without_record(lo, hi));
        self.oldest.get_or_insert_with(Instant::now);
    }

    /// All its ranges.
    pub(super) fn cut(&mut self) -> Vec<LaneRecords> {
        self.size = Size::default();
        self.oldest = None;
        let lanes = self.lanes.values_mut();
        lanes
            .filter_map(|lane| {
                let range = lane.range.take()?;
                lane.usual = range.arena.len();
                Some(range)
            })
            .collect()
    }
}

fn without_record(lo: i64, hi: i64) -> Gap {
    let cause = GapCause::Control.to_string();
    Gap { lo, hi, cause }
}

fn open_range(lane: LaneId, epoch: i64, source: &Arc<Subscription>, lo: i64) -> LaneRecords {
    LaneRecords {
        lane,
        epoch,
        source: source.clone(),
        lo,
        hi: lo,
        records: Vec::new(),
        gaps: Vec::new(),
        arena: Buffer::default(),
        origins: Origins::default(),
    }
}
