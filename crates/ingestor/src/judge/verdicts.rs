//! Who says whether an identity was seen before: the windows on the first look, the stored verdicts after it.

use super::{Accepted, Identities};
use metadata_store::{LaneId, batches::Range};
use std::collections::HashMap;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

/// What is known of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Not accepted before, within reach.
    New,
    /// Accepted at this offset, with the same payload.
    Repeats(i64),
    /// Accepted at this offset, with another payload.
    Reused(i64),
}

/// Decides about identities.
pub trait IdentityJudge {
    /// Whether the event at `offset` was accepted before. An event that is new is remembered.
    fn judge(&mut self, lane: &LaneId, id: Uuid, offset: i64, payload: &[u8]) -> Identity;
}

impl IdentityJudge for Identities {
    fn judge(&mut self, lane: &LaneId, id: Uuid, offset: i64, payload: &[u8]) -> Identity {
        let Some(window) = self.of(lane) else {
            return Identity::New;
        };
        let payload_hash = xxh3_64(payload);
        match window.find(id, offset) {
            Some(earlier) if earlier.payload_hash == payload_hash => {
                Identity::Repeats(earlier.offset)
            }
            Some(earlier) => Identity::Reused(earlier.offset),
            None => {
                window.remember(
                    id,
                    Accepted {
                        offset,
                        payload_hash,
                    },
                );
                Identity::New
            }
        }
    }
}

/// The verdicts of a stored batch.
#[derive(Debug, Default)]
pub struct StoredVerdicts(HashMap<(LaneId, i64), Identity>);

impl StoredVerdicts {
    /// Of these ranges.
    pub fn new(ranges: &[Range]) -> Self {
        let of = |range: &Range| {
            let lane = range.lane.clone();
            let duplicates = range.verdicts.duplicates.iter();
            let reused = range.verdicts.reused_ids.iter();
            let all = duplicates
                .map(|&(offset, of)| (offset, Identity::Repeats(of)))
                .chain(reused.map(|&(offset, of)| (offset, Identity::Reused(of))));
            all.map(|(offset, verdict)| ((lane.clone(), offset), verdict))
                .collect::<Vec<_>>()
        };
        Self(ranges.iter().flat_map(of).collect())
    }
}

impl IdentityJudge for StoredVerdicts {
    fn judge(&mut self, lane: &LaneId, _: Uuid, offset: i64, _: &[u8]) -> Identity {
        if self.0.is_empty() {
            return Identity::New;
        }
        self.0
            .get(&(lane.clone(), offset))
            .copied()
            .unwrap_or(Identity::New)
    }
}
