//! Where every lane of this member stands, for the threads that share them.

use chrono::{DateTime, Utc};
use metadata_store::{LaneId, batches::Range, lanes::Progress};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Where one lane stands.
#[derive(Debug)]
struct Standing {
    epoch: i64,
    /// Everything before it is durable.
    durable: i64,
    /// Ranges that are cut and not durable: last offset, and Kafka's timestamp of the first record.
    cut: VecDeque<(i64, i64)>,
    /// Kafka's timestamp of the first record that is gathered and not cut.
    gathering: Option<i64>,
    /// Kafka's end when last asked.
    end: Option<i64>,
    complete_through: Option<i64>,
    leaving: bool,
    in_open_batch: bool,
    stopped: bool,
}

/// Where every lane of this member stands.
#[derive(Debug, Default)]
pub struct Board {
    lanes: Mutex<BTreeMap<LaneId, Standing>>,
    settled: Condvar,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<LaneId, Standing>> {
        // nothing panics while it holds the lock; if it did, the numbers would still be whole
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lane is ours, from this offset on.
    pub fn assign(&self, lane: LaneId, epoch: i64, next: i64, stopped: bool) {
        let standing = Standing {
            epoch,
            durable: next,
            cut: VecDeque::new(),
            gathering: None,
            end: None,
            complete_through: None,
            leaving: false,
            in_open_batch: false,
            stopped,
        };
        self.lock().insert(lane, standing);
    }

    /// The lanes are about to be given up: no new batch opens on them. Waits until the open batch does not hold
    /// them, at most as long as `patience`; what is still open then is left to its recovery.
    pub fn leave(&self, leaving: &[LaneId], patience: Duration) {
        let mut lanes = self.lock();
        for lane in leaving {
            if let Some(standing) = lanes.get_mut(lane) {
                standing.leaving = true;
            }
        }
        let held = |lanes: &mut BTreeMap<LaneId, Standing>| {
            leaving.iter().any(|lane| {
                lanes
                    .get(lane)
                    .is_some_and(|standing| standing.in_open_batch)
            })
        };
        let waited = self.settled.wait_timeout_while(lanes, patience, held);
        let (mut lanes, _) = waited.unwrap_or_else(PoisonError::into_inner);
        for lane in leaving {
            lanes.remove(lane);
        }
    }

    /// The epoch under which the lane is ours, if it is and no one asked for it back.
    pub fn epoch(&self, lane: &LaneId) -> Option<i64> {
        self.lock()
            .get(lane)
            .filter(|standing| !standing.leaving)
            .map(|standing| standing.epoch)
    }

    /// All lanes of this member.
    pub fn lanes(&self) -> Vec<LaneId> {
        self.lock().keys().cloned().collect()
    }

    /// The first record of a new range was gathered.
    pub fn gathering(&self, lane: &LaneId, timestamp_ms: i64) {
        if let Some(standing) = self.lock().get_mut(lane) {
            standing.gathering.get_or_insert(timestamp_ms);
        }
    }

    /// The gathered range was cut.
    pub fn cut(&self, lane: &LaneId, hi: i64) {
        if let Some(standing) = self.lock().get_mut(lane) {
            let first = standing.gathering.take().unwrap_or(i64::MAX);
            standing.cut.push_back((hi, first));
        }
    }

    /// A batch was opened on these ranges.
    pub fn opened(&self, ranges: &[Range]) {
        let mut lanes = self.lock();
        for range in ranges {
            if let Some(standing) = lanes.get_mut(&range.lane) {
                standing.in_open_batch = true;
            }
        }
    }

    /// The batch of these ranges is closed.
    pub fn closed(&self, ranges: &[Range]) {
        let mut lanes = self.lock();
        for range in ranges {
            let Some(standing) = lanes.get_mut(&range.lane) else {
                continue;
            };
            standing.in_open_batch = false;
            standing.stopped |= range.parked;
            if range.parked || standing.epoch != range.epoch {
                continue;
            }
            standing.durable = standing.durable.max(range.hi + 1);
            while standing.cut.front().is_some_and(|&(hi, _)| hi <= range.hi) {
                standing.cut.pop_front();
            }
        }
        self.settled.notify_all();
    }

    /// The lane stands still from now on.
    pub fn stop(&self, lane: &LaneId) {
        if let Some(standing) = self.lock().get_mut(lane) {
            standing.stopped = true;
        }
    }

    /// How many lanes stand still.
    pub fn stopped(&self) -> usize {
        self.lock()
            .values()
            .filter(|standing| standing.stopped)
            .count()
    }

    /// Kafka's end of the lane when last asked.
    pub fn end(&self, lane: &LaneId) -> Option<i64> {
        self.lock().get(lane).and_then(|standing| standing.end)
    }

    /// Offsets between what is durable and Kafka's end, per lane.
    pub fn lag(&self) -> Vec<(LaneId, i64)> {
        let lanes = self.lock();
        let lag = |standing: &Standing| {
            standing
                .end
                .map_or(0, |end| (end - standing.durable).max(0))
        };
        lanes
            .iter()
            .map(|(lane, standing)| (lane.clone(), lag(standing)))
            .collect()
    }

    /// Works out how far every lane is complete, after Kafka was asked for its ends at `asked_at`.
    pub fn progress(&self, ends: &[(LaneId, i64)], asked_at: DateTime<Utc>) -> Vec<Progress> {
        let mut lanes = self.lock();
        for (lane, end) in ends {
            if let Some(standing) = lanes.get_mut(lane) {
                standing.end = Some(*end);
                standing.advance(*end, asked_at.timestamp_millis());
            }
        }
        let progress = lanes.iter().map(|(lane, standing)| Progress {
            lane: lane.clone(),
            epoch: standing.epoch,
            end_offset: standing.end,
            complete_through: standing
                .complete_through
                .and_then(DateTime::from_timestamp_millis),
        });
        progress.collect()
    }
}

impl Standing {
    /// The first record that is not durable tells how far the lane is complete; where there is none, the moment
    /// at which Kafka's end was seen. Where it has not been fetched yet, what was known before stays.
    fn advance(&mut self, end: i64, asked_at_ms: i64) {
        let first_open = self.cut.front().map(|&(_, first)| first).or(self.gathering);
        let known = match first_open {
            Some(first) => Some(first.min(asked_at_ms)),
            None if self.durable >= end => Some(asked_at_ms),
            None => None,
        };
        self.complete_through = known.or(self.complete_through);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metadata_store::batches::Verdicts;

    fn lane() -> LaneId {
        LaneId {
            topic: "t".to_owned(),
            partition: 0,
        }
    }

    fn range(lo: i64, hi: i64) -> Range {
        Range {
            lane: lane(),
            epoch: 1,
            lo,
            hi,
            records: 0,
            hash: 0,
            verdicts: Verdicts::default(),
            parked: false,
        }
    }

    fn complete_through(board: &Board, end: i64, asked_at_ms: i64) -> Option<i64> {
        let asked_at = DateTime::from_timestamp_millis(asked_at_ms).unwrap();
        board.progress(&[(lane(), end)], asked_at)[0]
            .complete_through
            .map(|time| time.timestamp_millis())
    }

    #[test]
    fn a_drained_lane_is_complete_through_the_moment_its_end_was_seen() {
        let board = Board::default();
        board.assign(lane(), 1, 5, false);
        assert_eq!(complete_through(&board, 5, 1000), Some(1000));
        assert_eq!(complete_through(&board, 5, 2000), Some(2000));
    }

    #[test]
    fn a_record_that_is_not_durable_holds_the_lane_back_at_its_own_time() {
        let board = Board::default();
        board.assign(lane(), 1, 5, false);
        board.gathering(&lane(), 700);
        board.cut(&lane(), 9);
        board.gathering(&lane(), 800);
        board.opened(&[range(5, 9)]);
        assert_eq!(complete_through(&board, 12, 1000), Some(700));
        board.closed(&[range(5, 9)]);
        assert_eq!(complete_through(&board, 12, 1000), Some(800));
    }

    #[test]
    fn records_that_were_not_fetched_yet_leave_it_where_it_was() {
        let board = Board::default();
        board.assign(lane(), 1, 5, false);
        assert_eq!(complete_through(&board, 9, 1000), None);
        assert_eq!(complete_through(&board, 5, 1500), Some(1500));
        assert_eq!(complete_through(&board, 9, 2000), Some(1500));
    }

    #[test]
    fn a_leaving_lane_opens_no_batch_and_is_waited_for() {
        let board = Board::default();
        board.assign(lane(), 1, 5, false);
        board.opened(&[range(5, 9)]);
        std::thread::scope(|scope| {
            let leaver = scope.spawn(|| board.leave(&[lane()], Duration::from_secs(10)));
            while board.epoch(&lane()).is_some() {
                std::thread::yield_now();
            }
            assert!(!leaver.is_finished());
            board.closed(&[range(5, 9)]);
        });
        assert!(board.lanes().is_empty());
    }
}
