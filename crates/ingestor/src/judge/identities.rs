//! Which identities were accepted lately, per lane.

use metadata_store::LaneId;
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

/// An accepted event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Its offset.
    pub offset: i64,
    /// xxh3 of its payload.
    pub payload_hash: u64,
}

/// The identities accepted within the last N offsets of one lane.
#[derive(Debug)]
pub struct Window {
    epoch: i64,
    reach: i64,
    by_id: HashMap<Uuid, Accepted>,
    by_offset: VecDeque<(i64, Uuid)>,
}

impl Window {
    /// Nothing was accepted yet; looks `reach` offsets back.
    pub fn new(epoch: i64, reach: i64) -> Self {
        Self {
            epoch,
            reach,
            by_id: HashMap::new(),
            by_offset: VecDeque::new(),
        }
    }

    /// The event of the same identity within reach of `offset`.
    pub fn find(&mut self, id: Uuid, offset: i64) -> Option<Accepted> {
        while let Some((oldest, forgotten)) = self.by_offset.front().copied() {
            if oldest >= offset - self.reach {
                break;
            }
            self.by_offset.pop_front();
            // it may have been accepted again, within a reach that was shorter then
            if self
                .by_id
                .get(&forgotten)
                .is_some_and(|last| last.offset == oldest)
            {
                self.by_id.remove(&forgotten);
            }
        }
        self.by_id.get(&id).copied()
    }

    /// Remembers an accepted event; offsets come in ascending order.
    pub fn remember(&mut self, id: Uuid, accepted: Accepted) {
        self.by_id.insert(id, accepted);
        self.by_offset.push_back((accepted.offset, id));
    }
}

/// The windows of all lanes of a member.
#[derive(Debug, Default)]
pub struct Identities(HashMap<LaneId, Window>);

impl Identities {
    /// Whether the window of a lane is there for this epoch.
    pub fn covers(&self, lane: &LaneId, epoch: i64) -> bool {
        self.0.get(lane).is_some_and(|window| window.epoch == epoch)
    }

    /// Puts a window in place of what was there.
    pub fn put(&mut self, lane: LaneId, window: Window) {
        self.0.insert(lane, window);
    }

    /// Forgets a lane: what was judged on it was not stored.
    pub fn forget(&mut self, lane: &LaneId) {
        self.0.remove(lane);
    }

    /// The window of a lane.
    pub fn of(&mut self, lane: &LaneId) -> Option<&mut Window> {
        self.0.get_mut(lane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(offset: i64) -> Accepted {
        Accepted {
            offset,
            payload_hash: 7,
        }
    }

    #[test]
    fn an_identity_is_found_within_reach_and_not_beyond() {
        let mut window = Window::new(1, 10);
        let id = Uuid::from_u128(1);
        window.remember(id, accepted(100));
        assert_eq!(window.find(id, 110), Some(accepted(100)));
        assert_eq!(window.find(id, 111), None);
        assert!(window.by_id.is_empty() && window.by_offset.is_empty());
    }

    #[test]
    fn a_reach_of_nothing_finds_nothing() {
        let mut window = Window::new(1, 0);
        let id = Uuid::from_u128(1);
        window.remember(id, accepted(5));
        assert_eq!(window.find(id, 6), None);
    }

    #[test]
    fn an_identity_accepted_again_after_it_was_forgotten_is_found_at_its_new_place() {
        let mut window = Window::new(1, 10);
        let id = Uuid::from_u128(1);
        window.remember(id, accepted(0));
        assert_eq!(window.find(id, 50), None);
        window.remember(id, accepted(50));
        assert_eq!(window.find(id, 55), Some(accepted(50)));
    }

    #[test]
    fn of_an_identity_accepted_twice_the_later_place_is_kept_when_the_earlier_is_forgotten() {
        // the reach was shorter when the second was accepted
        let mut window = Window::new(1, 50);
        let id = Uuid::from_u128(1);
        window.remember(id, accepted(0));
        window.remember(id, accepted(25));
        assert_eq!(window.find(id, 51), Some(accepted(25)));
        assert_eq!(window.find(id, 60), Some(accepted(25)));
        assert_eq!(window.find(id, 76), None);
    }
}
