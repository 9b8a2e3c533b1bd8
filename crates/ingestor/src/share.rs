//! Which ranges of its batch a write has, as its sentinels tell it.
//!
//! The part that an insert makes of an aggregate has the rows of all its ranges, merged, and a sentinel for the whole.
//! Where a range was left out of its batch, because its log no longer read as stored, the parts that are made without it
//! have a sentinel of their own. So should the range read again, the sentinels tell which parts have it and which do
//! not, whatever of its batch had been written before it was left out.

use metadata_store::{LaneId, batches::Batch};
use shared_schema::Domain;
use uuid::Uuid;

/// Omissions that are looked for even where PostgreSQL, which may have gone back, knows of fewer.
const FORGOTTEN: i32 = 16;

/// The mark of a whole batch's sentinels in the aggregates: each insert has its own.
pub fn mark(batch: Uuid, domain: Domain) -> Uuid {
    Uuid::new_v5(&batch, domain.as_str().as_bytes())
}

/// The ranges of a batch that are written together, because the same parts have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Share {
    /// Those that were never left out.
    Kept {
        /// How often others were.
        omissions: i32,
    },
    /// One that was left out, and reads again.
    Returned {
        /// Its lane.
        lane: LaneId,
        /// Which omission of the batch it was part of.
        omission: i32,
    },
}

impl Default for Share {
    /// The whole batch.
    fn default() -> Self {
        Self::Kept { omissions: 0 }
    }
}

impl Share {
    /// The shares of a batch that are to be written; the first one may have no range.
    pub fn of(batch: &Batch) -> Vec<Self> {
        let kept = Self::Kept {
            omissions: omissions(batch),
        };
        let read = batch.ranges.iter().filter(|range| !range.parked);
        let returned = read.filter_map(|range| {
            Some(Self::Returned {
                lane: range.lane.clone(),
                omission: range.omission?,
            })
        });
        std::iter::once(kept).chain(returned).collect()
    }

    /// Whether a range that is not parked belongs to it.
    pub fn has(&self, lane: &LaneId, omission: Option<i32>) -> bool {
        match self {
            Self::Kept { .. } => omission.is_none(),
            Self::Returned { lane: returned, .. } => lane == returned,
        }
    }

    /// Some of its ranges are left out from now on.
    pub(crate) fn lacks(&mut self, omission: i32) {
        match self {
            Self::Kept { omissions } => *omissions = omission,
            // nothing is left of it
            Self::Returned { .. } => {}
        }
    }

    /// The mark of the sentinels in the parts that it makes.
    pub(crate) fn mark(&self, batch: Uuid, domain: Domain) -> Uuid {
        match self {
            Self::Kept { omissions } => kept(batch, domain, *omissions),
            Self::Returned { lane, .. } => returned(batch, domain, lane),
        }
    }

    /// The marks of all parts that have it. `lanes` are its lanes.
    pub(crate) fn marks<'a>(
        &self,
        batch: Uuid,
        domain: Domain,
        lanes: impl Iterator<Item = &'a LaneId>,
    ) -> Vec<Uuid> {
        let until = match self {
            Self::Kept { omissions } => (*omissions).max(FORGOTTEN) + 1,
            Self::Returned { omission, .. } => *omission,
        };
        // a range that has returned may be one of many again, where PostgreSQL has forgotten that it was left out
        let returned = lanes.map(|lane| returned(batch, domain, lane));
        (0..until)
            .map(|omissions| kept(batch, domain, omissions))
            .chain(returned)
            .collect()
    }
}

/// How often ranges were left out of a batch.
pub fn omissions(batch: &Batch) -> i32 {
    let omissions = batch.ranges.iter().filter_map(|range| range.omission);
    omissions.max().unwrap_or_default()
}

fn kept(batch: Uuid, domain: Domain, omissions: i32) -> Uuid {
    match omissions {
        0 => mark(batch, domain),
        _ => named(batch, domain, &format!("omission {omissions}")),
    }
}

fn returned(batch: Uuid, domain: Domain, lane: &LaneId) -> Uuid {
    named(batch, domain, &lane.to_string())
}

fn named(batch: Uuid, domain: Domain, name: &str) -> Uuid {
    Uuid::new_v5(&mark(batch, domain), name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: Uuid = Uuid::from_u128(7);

    fn lane(partition: i32) -> LaneId {
        LaneId {
            topic: "trip".to_owned(),
            partition,
        }
    }

    fn is_in(share: &Share, lanes: &[LaneId], part: &Share) -> bool {
        let mark = part.mark(BATCH, Domain::Trip);
        share
            .marks(BATCH, Domain::Trip, lanes.iter())
            .contains(&mark)
    }

    #[test]
    fn a_returned_range_is_in_the_parts_from_before_it_was_left_out_and_in_its_own() {
        let share = Share::Returned {
            lane: lane(1),
            omission: 2,
        };
        let lanes = [lane(1)];
        for omissions in [0, 1] {
            assert!(is_in(&share, &lanes, &Share::Kept { omissions }));
        }
        assert!(!is_in(&share, &lanes, &Share::Kept { omissions: 2 }));
        assert!(is_in(&share, &lanes, &share));
        let other = Share::Returned {
            lane: lane(2),
            omission: 2,
        };
        assert!(!is_in(&share, &lanes, &other));
    }

    #[test]
    fn what_was_kept_is_in_all_parts_but_those_of_returned_ranges() {
        let share = Share::Kept { omissions: 2 };
        let lanes = [lane(0)];
        for omissions in [0, 1, 2] {
            assert!(is_in(&share, &lanes, &Share::Kept { omissions }));
        }
        let returned = Share::Returned {
            lane: lane(1),
            omission: 1,
        };
        assert!(!is_in(&share, &lanes, &returned));
    }

    #[test]
    fn a_batch_of_which_nothing_was_left_out_has_the_mark_that_all_know() {
        assert_eq!(
            Share::default().mark(BATCH, Domain::Trip),
            mark(BATCH, Domain::Trip)
        );
    }
}
