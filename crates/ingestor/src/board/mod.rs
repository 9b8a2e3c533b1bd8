//! Where every lane of this member stands, for the threads that share them.

mod standing;
#[cfg(test)]
mod tests;
mod told;

pub use told::Seen;

use metadata_store::{LaneId, batches::Range};
use standing::{Cut, Standing, UNKNOWN};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Where every lane of this member stands.
#[derive(Debug, Default)]
pub struct Board {
    lanes: Mutex<BTreeMap<LaneId, Standing>>,
    /// A lane is held by one batch less.
    released: Condvar,
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
            reached: next,
            cut: VecDeque::new(),
            gathering: None,
            end: None,
            awaited: None,
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
        let waited = self.released.wait_timeout_while(lanes, patience, held);
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

    /// The first record of a new range was gathered, and arrived then, milliseconds since 1970.
    pub fn gathering(&self, lane: &LaneId, arrived_ms: Option<i64>) {
        if let Some(standing) = self.lock().get_mut(lane) {
            let arrived = arrived_ms.unwrap_or(UNKNOWN);
            standing.gathering.get_or_insert(arrived);
        }
    }

    /// The gathered range was cut.
    pub fn cut(&self, lane: &LaneId, hi: i64) {
        if let Some(standing) = self.lock().get_mut(lane) {
            let first = standing.gathering.take();
            let since = Instant::now();
            standing.cut.push_back(Cut { hi, first, since });
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
        self.released.notify_all();
    }

    /// The batch of these ranges is closed. Of those on `parked` lanes nothing is durable.
    pub fn closed(&self, ranges: &[Range], parked: &[LaneId]) {
        let mut lanes = self.lock();
        for range in ranges {
            let Some(standing) = held(&mut lanes, range) else {
                continue;
            };
            standing.held = standing.held.saturating_sub(1);
            if parked.contains(&range.lane) {
                continue;
            }
            standing.durable = standing.durable.max(range.hi + 1);
            while standing.cut.front().is_some_and(|cut| cut.hi <= range.hi) {
                standing.cut.pop_front();
            }
        }
        self.released.notify_all();
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
}

/// The lane of a range, if it is still owned as it was when the range was cut.
fn held<'a>(lanes: &'a mut BTreeMap<LaneId, Standing>, range: &Range) -> Option<&'a mut Standing> {
    lanes
        .get_mut(&range.lane)
        .filter(|standing| standing.epoch == range.epoch)
}
