//! Gathers records by lane until a batch is due.

use crate::{
    batch::{LaneRecords, RawBatch},
    board::Board,
    config::BatchConfig,
    reread::keep,
};
use event_store::{Buffer, Buffers};
use metadata_store::{LaneId, batches::Gap};
use rdkafka::Message;
use shared_schema::Subscription;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Instant,
};

/// What became of a record that was offered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is in the batch.
    Kept,
    /// Its lane is not ours, stands still, or has had it.
    Ignored,
    /// Offsets before it are missing and must be accounted for first.
    Gap {
        /// First missing offset.
        lo: i64,
        /// Last missing offset.
        hi: i64,
    },
}

struct Lane {
    epoch: i64,
    source: Arc<Subscription>,
    next: i64,
    stopped: bool,
    range: Option<LaneRecords>,
    heard: Instant,
}

/// Records that are not cut yet.
pub(super) struct Gather {
    limits: BatchConfig,
    lanes: HashMap<String, BTreeMap<i32, Lane>>,
    arena: Buffer,
    memory: Buffers,
    rows: usize,
    oldest: Option<Instant>,
}

impl Gather {
    /// Records' bytes are gathered in `memory`.
    pub(super) fn new(limits: BatchConfig, memory: Buffers) -> Self {
        Self {
            limits,
            lanes: HashMap::new(),
            arena: Buffer::default(),
            memory,
            rows: 0,
            oldest: None,
        }
    }

    /// The lane is ours from `next` on.
    pub(super) fn add(
        &mut self,
        lane: LaneId,
        epoch: i64,
        next: i64,
        stopped: bool,
        source: Arc<Subscription>,
    ) {
        let LaneId { topic, partition } = lane;
        let fresh = Lane {
            epoch,
            source,
            next,
            stopped,
            range: None,
            heard: Instant::now(),
        };
        self.lanes
            .entry(topic)
            .or_default()
            .insert(partition, fresh);
    }

    /// The lane is no longer ours; what was gathered of it is dropped.
    pub(super) fn remove(&mut self, lane: &LaneId) {
        let removed = self
            .lanes
            .get_mut(&lane.topic)
            .and_then(|lanes| lanes.remove(&lane.partition));
        self.rows -= removed
            .and_then(|lane| lane.range)
            .map_or(0, |range| range.records.len());
    }

    /// The lanes that take records.
    pub(super) fn ids(&self) -> Vec<LaneId> {
        let ids = |(topic, lanes): (&String, &BTreeMap<i32, Lane>)| {
            let reading = lanes.iter().filter(|(_, lane)| !lane.stopped);
            let id = |(partition, _): (&i32, &Lane)| LaneId {
                topic: topic.clone(),
                partition: *partition,
            };
            reading.map(id).collect::<Vec<_>>()
        };
        self.lanes.iter().flat_map(ids).collect()
    }

    /// The lane takes no more records.
    pub(super) fn stop(&mut self, lane: &LaneId) {
        if let Some(lane) = self.lane(lane) {
            lane.stopped = true;
        }
    }

    fn lane(&mut self, lane: &LaneId) -> Option<&mut Lane> {
        self.lanes.get_mut(&lane.topic)?.get_mut(&lane.partition)
    }

    /// Takes a record, unless offsets before it are missing.
    pub(super) fn take(&mut self, message: &impl Message, board: &Board) -> Taken {
        let lane = self
            .lanes
            .get_mut(message.topic())
            .and_then(|lanes| lanes.get_mut(&message.partition()));
        let Some(lane) = lane.filter(|lane| !lane.stopped && message.offset() >= lane.next) else {
            return Taken::Ignored;
        };
        if message.offset() > lane.next {
            return Taken::Gap {
                lo: lane.next,
                hi: message.offset() - 1,
            };
        }
        let record = keep(&mut self.arena, message);
        let id = || LaneId {
            topic: message.topic().to_owned(),
            partition: message.partition(),
        };
        let range = lane
            .range
            .get_or_insert_with(|| open_range(id(), lane.epoch, &lane.source, record.offset));
        if range.records.is_empty() {
            board.gathering(&range.lane, record.timestamp_ms);
            lane.heard = Instant::now();
        }
        range.hi = record.offset;
        lane.next = record.offset + 1;
        range.records.push(record);
        self.rows += 1;
        self.oldest.get_or_insert_with(Instant::now);
        Taken::Kept
    }

    /// Accounts for offsets without a record.
    pub(super) fn skip(&mut self, id: &LaneId, gap: Gap) {
        let Some(lane) = self.lane(id) else { return };
        let range = lane
            .range
            .get_or_insert_with(|| open_range(id.clone(), lane.epoch, &lane.source, gap.lo));
        range.hi = gap.hi;
        lane.next = gap.hi + 1;
        range.gaps.push(gap);
        self.oldest.get_or_insert_with(Instant::now);
    }

    /// Whether no more records fit.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= self.limits.max_rows || self.arena.len() >= self.limits.max_bytes.as_usize()
    }

    /// Whether a batch should be cut.
    pub(super) fn is_due(&self) -> bool {
        let wait = match self.rows >= self.limits.enough_rows {
            true => self.limits.min_age.get().min(self.limits.max_age.get()),
            false => self.limits.max_age.get(),
        };
        self.is_full() || self.oldest.is_some_and(|oldest| oldest.elapsed() >= wait)
    }

    /// Whether there is something to cut.
    pub(super) fn is_empty(&self) -> bool {
        self.oldest.is_none()
    }

    /// Cuts the batch.
    pub(super) fn cut(&mut self, board: &Board) -> RawBatch {
        let lanes = self.lanes.values_mut().flat_map(BTreeMap::values_mut);
        let ranges: Vec<LaneRecords> = lanes.filter_map(|lane| lane.range.take()).collect();
        for range in &ranges {
            board.cut(&range.lane, range.hi);
        }
        self.rows = 0;
        self.oldest = None;
        let next = self.memory.take(self.arena.len());
        let arena = std::mem::replace(&mut self.arena, next);
        RawBatch::new(ranges, arena)
    }

    /// Lanes that have been silent for `silence` although Kafka's end is not where they were read to: lane, next
    /// offset, and Kafka's end when last asked. The longest silence first.
    pub(super) fn silent(
        &mut self,
        board: &Board,
        silence: std::time::Duration,
    ) -> Vec<(LaneId, i64, i64)> {
        let mut silent = Vec::new();
        for (topic, lanes) in &mut self.lanes {
            let waiting = |lane: &Lane| !lane.stopped && lane.range.is_none();
            for (partition, lane) in lanes.iter_mut().filter(|(_, lane)| waiting(lane)) {
                let id = LaneId {
                    topic: topic.clone(),
                    partition: *partition,
                };
                let end = board.end(&id).unwrap_or(lane.next);
                if end == lane.next {
                    lane.heard = Instant::now();
                } else if lane.heard.elapsed() >= silence {
                    silent.push((lane.heard, (id, lane.next, end)));
                    lane.heard = Instant::now();
                }
            }
        }
        silent.sort_by_key(|(heard, _)| *heard);
        silent.into_iter().map(|(_, lane)| lane).collect()
    }
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
    }
}
