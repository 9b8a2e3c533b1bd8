//! Gathers records by lane until a batch is due.

mod topic;

use super::choice::{self, Gathered, Size};
use crate::{batch::RawBatch, board::Board, config::BatchConfig, origins::ByName};
use event_store::Buffers;
use metadata_store::LaneId;
use rdkafka::Message;
use shared_schema::Subscription;
use std::{
    collections::{BTreeSet, HashMap},
    ops::Add,
    sync::Arc,
    time::Instant,
};
use topic::{Lane, Topic};

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

/// Records that are not cut yet.
pub(super) struct Gather {
    limits: BatchConfig,
    topics: HashMap<String, Topic>,
    memory: Buffers,
    /// The number of the stream of records.
    stream: u64,
}

impl Gather {
    /// Records' bytes are gathered in `memory`.
    pub(super) fn new(limits: BatchConfig, memory: Buffers) -> Self {
        Self {
            limits,
            topics: HashMap::new(),
            memory,
            stream: 0,
        }
    }

    /// The client is told where to read, or tells of trouble: what comes from now on need not follow what came before.
    pub(super) fn interrupt(&mut self) {
        self.stream += 1;
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
        // what was gathered of it under another epoch is read again
        self.remove(&lane);
        let LaneId { topic, partition } = lane;
        let fresh = Lane::new(epoch, source, next, stopped);
        let topic = self.topics.entry(topic).or_default();
        topic.lanes.insert(partition, fresh);
    }

    /// The lane is no longer ours; what was gathered of it is dropped.
    pub(super) fn remove(&mut self, lane: &LaneId) {
        if let Some(topic) = self.topics.get_mut(&lane.topic) {
            topic.remove(lane.partition);
        }
    }

    /// The lanes that take records.
    pub(super) fn ids(&self) -> Vec<LaneId> {
        let ids = |(name, topic): (&String, &Topic)| {
            let reading = topic.lanes.iter().filter(|(_, lane)| !lane.stopped);
            let id = |(partition, _): (&i32, &Lane)| LaneId {
                topic: name.clone(),
                partition: *partition,
            };
            reading.map(id).collect::<Vec<_>>()
        };
        self.topics.iter().flat_map(ids).collect()
    }

    /// The lane takes no more records.
    pub(super) fn stop(&mut self, lane: &LaneId) {
        if let Some(lane) = self.lane(lane) {
            lane.stopped = true;
        }
    }

    fn lane(&mut self, lane: &LaneId) -> Option<&mut Lane> {
        let topic = self.topics.get_mut(&lane.topic)?;
        topic.lanes.get_mut(&lane.partition)
    }

    /// Takes a record, unless offsets before it are missing.
    ///
    /// Those that are missing between two records of one stream are looked into later, all of a range at once: a producer's
    /// transactions leave thousands of them.
    pub(super) fn take(&mut self, message: &impl Message<Headers: ByName>, board: &Board) -> Taken {
        match self.topics.get_mut(message.topic()) {
            Some(topic) => topic.take(message, self.stream, &self.memory, board),
            None => Taken::Ignored,
        }
    }

    /// Accounts for offsets without a record.
    pub(super) fn skip(&mut self, id: &LaneId, lo: i64, hi: i64) {
        if let Some(topic) = self.topics.get_mut(&id.topic) {
            topic.skip(id, lo, hi);
        }
    }

    /// The most that a batch takes.
    fn limit(&self) -> Size {
        Size {
            rows: self.limits.max_rows,
            bytes: self.limits.max_bytes.as_usize(),
        }
    }

    fn size(&self) -> Size {
        let sizes = self.topics.values().map(|topic| topic.size);
        sizes.fold(Size::default(), Size::add)
    }

    /// Whether there is room for another record of a topic.
    pub(super) fn has_room_for(&self, topic: &str) -> bool {
        let of_it = self.topics.get(topic);
        self.size().bytes < self.limits.max_gathered.as_usize()
            && of_it.is_none_or(|topic| !topic.size.fills(self.limit()))
    }

    /// The topics that there is no room for.
    pub(super) fn full_topics(&self) -> BTreeSet<String> {
        let names = self.topics.keys();
        names
            .filter(|name| !self.has_room_for(name))
            .cloned()
            .collect()
    }

    /// Whether a batch should be cut.
    pub(super) fn is_due(&self) -> bool {
        let wait = match self.size().rows >= self.limits.enough_rows {
            true => self.limits.min_age.get().min(self.limits.max_age.get()),
            false => self.limits.max_age.get(),
        };
        let oldest = self.topics.values().filter_map(|topic| topic.oldest).min();
        !self.full_topics().is_empty() || oldest.is_some_and(|oldest| oldest.elapsed() >= wait)
    }

    /// Whether there is something to cut.
    pub(super) fn is_empty(&self) -> bool {
        self.topics.values().all(|topic| topic.oldest.is_none())
    }

    /// Cuts a batch; what has no room in it stays.
    pub(super) fn cut(&mut self, board: &Board) -> RawBatch {
        let (limit, patience) = (self.limit(), self.limits.max_age.get());
        let mut topics: Vec<(Gathered, &mut Topic)> = Vec::new();
        for topic in self.topics.values_mut() {
            if let Some(oldest) = topic.oldest {
                let late = oldest.elapsed().checked_sub(patience);
                let size = topic.size;
                topics.push((Gathered { size, late }, topic));
            }
        }
        let gathered: Vec<Gathered> = topics.iter().map(|(gathered, _)| *gathered).collect();
        let mut raw = RawBatch::default();
        for index in choice::choose(&gathered, limit) {
            if let Some((_, topic)) = topics.get_mut(index) {
                raw.lanes.extend(topic.cut());
            }
        }
        for range in &raw.lanes {
            board.cut(&range.lane, range.hi);
        }
        raw
    }

    /// Lanes that have been silent for `silence` although Kafka's end is not where they were read to: lane, next
    /// offset, and Kafka's end when last asked. The longest silence first.
    pub(super) fn silent(
        &mut self,
        board: &Board,
        silence: std::time::Duration,
    ) -> Vec<(LaneId, i64, i64)> {
        let mut silent = Vec::new();
        for (name, topic) in &mut self.topics {
            let waiting = |lane: &Lane| !lane.stopped && lane.range.is_none();
            for (partition, lane) in topic.lanes.iter_mut().filter(|(_, lane)| waiting(lane)) {
                let id = LaneId {
                    topic: name.clone(),
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

#[cfg(test)]
mod tests;
