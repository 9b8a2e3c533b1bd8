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
    /// Ranges that are cut and not durable: last offset, and Kafka's timestamp of the first record, if there is one.
    cut: VecDeque<(i64, Option<i64>)>,
    /// Kafka's timestamp of the first record that is gathered and not cut.
    gathering: Option<i64>,
    /// Kafka's end when last asked.
    end: Option<i64>,
    complete_through: Option<i64>,
    leaving: bool,
    /// Batches that hold it and are neither closed nor given up.
    held: u32,
    stopped: bool,
    /// It stands still because an operator has retired it.
    retired: bool,
    /// A batch could not be opened on it, or was forgotten by PostgreSQL.
    lost: bool,
}

/// What is compared with PostgreSQL, to see whether both know the same of a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The lane.
    pub lane: LaneId,
    /// The epoch under which it is ours.
    pub epoch: i64,
    /// Everything before it is durable.
    pub durable: i64,
    /// Whether it stands still.
    pub stopped: bool,
    /// Whether a batch on it was refused or forgotten.
    pub lost: bool,
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
            held: 0,
            stopped,
            retired: false,
            lost: false,
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
            leaving
                .iter()
                .any(|lane| lanes.get(lane).is_some_and(|standing| standing.held > 0))
        };
        let waited = self.settled.wait_timeout_while(lanes, patience, held);
        let (mut lanes, _) = waited.unwrap_or_else(PoisonError::into_inner);
        for lane in leaving {
            lanes.remove(lane);
        }
    }

    /// The same for one lane, without waiting: no new batch opens on it, and once no batch holds it, it is off the
    /// board. Answers whether it is.
    pub fn leave_if_free(&self, lane: &LaneId) -> bool {
        let mut lanes = self.lock();
        match lanes.get_mut(lane) {
            Some(standing) if standing.held > 0 => {
                standing.leaving = true;
                false
            }
            Some(_) => lanes.remove(lane).is_some(),
            None => true,
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
            let first = standing.gathering.take();
            standing.cut.push_back((hi, first));
        }
    }

    /// A batch is about to be opened on these ranges. Answers the lanes that are not ours any more; if there are any,
    /// none is held.
    pub fn hold(&self, ranges: &[Range]) -> Vec<LaneId> {
        let mut lanes = self.lock();
        let refused = |range: &&Range| {
            !lanes.get(&range.lane).is_some_and(|standing| {
                !standing.leaving && !standing.lost && standing.epoch == range.epoch
            })
        };
        let refused: Vec<LaneId> = ranges
            .iter()
            .filter(refused)
            .map(|range| range.lane.clone())
            .collect();
        if refused.is_empty() {
            for range in ranges {
                if let Some(standing) = lanes.get_mut(&range.lane) {
                    standing.held += 1;
                }
            }
        }
        refused
    }

    /// The batch of these ranges was not opened, or is forgotten.
    pub fn free(&self, ranges: &[Range]) {
        let mut lanes = self.lock();
        for range in ranges {
            if let Some(standing) = held(&mut lanes, range) {
                standing.held = standing.held.saturating_sub(1);
            }
        }
        self.settled.notify_all();
    }

    /// The batch of these ranges is closed.
    pub fn closed(&self, ranges: &[Range]) {
        let mut lanes = self.lock();
        for range in ranges {
            let Some(standing) = held(&mut lanes, range) else {
                continue;
            };
            standing.held = standing.held.saturating_sub(1);
            standing.stopped |= range.parked;
            if range.parked {
                continue;
            }
            standing.durable = standing.durable.max(range.hi + 1);
            while standing.cut.front().is_some_and(|&(hi, _)| hi <= range.hi) {
                standing.cut.pop_front();
            }
        }
        self.settled.notify_all();
    }

    /// PostgreSQL does not know these lanes as we do.
    pub fn lose<'a>(&self, lost: impl IntoIterator<Item = &'a LaneId>) {
        let mut lanes = self.lock();
        for lane in lost {
            if let Some(standing) = lanes.get_mut(lane) {
                standing.lost = true;
            }
        }
    }

    /// Whether there is a lane that PostgreSQL does not know as we do.
    pub fn has_lost(&self) -> bool {
        self.lock().values().any(|standing| standing.lost)
    }

    /// Every lane as this member knows it.
    pub fn seen(&self) -> Vec<Seen> {
        let seen = |(lane, standing): (&LaneId, &Standing)| Seen {
            lane: lane.clone(),
            epoch: standing.epoch,
            durable: standing.durable,
            stopped: standing.stopped,
            lost: standing.lost,
        };
        self.lock().iter().map(seen).collect()
    }

    /// The lane stands still from now on.
    pub fn stop(&self, lane: &LaneId) {
        if let Some(standing) = self.lock().get_mut(lane) {
            standing.stopped = true;
        }
    }

    /// That the lane stands still is as an operator wants it.
    pub fn retire(&self, lane: &LaneId) {
        if let Some(standing) = self.lock().get_mut(lane) {
            standing.retired = true;
        }
    }

    /// How many lanes stand still and should not.
    pub fn stopped(&self) -> usize {
        self.lock()
            .values()
            .filter(|standing| standing.stopped && !standing.retired)
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

/// The lane of a range, if it is still owned as it was when the range was cut.
fn held<'a>(lanes: &'a mut BTreeMap<LaneId, Standing>, range: &Range) -> Option<&'a mut Standing> {
    lanes
        .get_mut(&range.lane)
        .filter(|standing| standing.epoch == range.epoch)
}

impl Standing {
    /// The first record that is not durable tells how far the lane is complete; where there is none, the moment
    /// at which Kafka's end was seen. Where it has not been fetched yet, what was known before stays.
    fn advance(&mut self, end: i64, asked_at_ms: i64) {
        let mut firsts = self.cut.iter().filter_map(|&(_, first)| first);
        let first_open = firsts.next().or(self.gathering);
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
            omission: None,
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
        assert_eq!(board.hold(&[range(5, 9)]), []);
        assert_eq!(complete_through(&board, 12, 1000), Some(700));
        board.closed(&[range(5, 9)]);
        assert_eq!(complete_through(&board, 12, 1000), Some(800));
    }

    #[test]
    fn a_range_without_a_record_hides_no_record_behind_it() {
        let board = Board::default();
        board.assign(lane(), 1, 5, false);
        board.cut(&lane(), 5);
        board.gathering(&lane(), 700);
        assert_eq!(complete_through(&board, 9, 1000), Some(700));
        board.cut(&lane(), 8);
        assert_eq!(complete_through(&board, 9, 1100), Some(700));
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
        assert_eq!(board.hold(&[range(5, 9)]), []);
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

    #[test]
    fn a_lane_is_held_until_the_last_of_its_batches_is_over() {
        let board = Board::default();
        board.assign(lane(), 1, 5, false);
        assert_eq!(board.hold(&[range(5, 9)]), []);
        assert_eq!(board.hold(&[range(10, 12)]), []);
        board.closed(&[range(5, 9)]);
        assert!(!board.leave_if_free(&lane()));
        assert_eq!(board.hold(&[range(13, 14)]), [lane()]);
        board.free(&[range(10, 12)]);
        assert!(board.leave_if_free(&lane()));
        assert!(board.lanes().is_empty());
    }

    #[test]
    fn a_batch_of_an_earlier_epoch_is_refused_and_moves_nothing() {
        let board = Board::default();
        board.assign(lane(), 2, 5, false);
        assert_eq!(board.hold(&[range(5, 9)]), [lane()]);
        board.closed(&[range(5, 9)]);
        assert_eq!(board.seen()[0].durable, 5);
    }

    #[test]
    fn a_lost_lane_opens_no_batch() {
        let board = Board::default();
        board.assign(lane(), 1, 5, false);
        board.lose([&lane()]);
        assert!(board.has_lost());
        assert_eq!(board.hold(&[range(5, 9)]), [lane()]);
    }
}
