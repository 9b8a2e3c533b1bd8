//! Who says whether an identity was seen before: the windows on the first look, the stored verdicts after it.

use super::{Accepted, Identities};
use metadata_store::{LaneId, batches::Range};
use shared_schema::Decoded;
use std::collections::HashMap;
use xxhash_rust::xxh3::xxh3_64;

/// What is known of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Not accepted before, within reach.
    New,
    /// Accepted at this offset, with the same payload, or as the same event without an id of its own.
    Repeats(i64),
    /// Accepted at this offset, with another payload.
    Reused(i64),
}

/// Decides about identities.
pub trait IdentityJudge {
    /// Whether the event at `offset` was accepted before. An event that is new is remembered.
    fn judge(
        &mut self,
        lane: &LaneId,
        event: &Decoded<'_>,
        offset: i64,
        payload: &[u8],
    ) -> Identity;
}

impl IdentityJudge for Identities {
    fn judge(
        &mut self,
        lane: &LaneId,
        event: &Decoded<'_>,
        offset: i64,
        payload: &[u8],
    ) -> Identity {
        let id = event.event_id;
        let Some(window) = self.of(lane) else {
            return Identity::New;
        };
        let payload_hash = xxh3_64(payload);
        match window.find(id, offset) {
            // a derived identity is the same for the same event only, in whatever order a producer writes its fields
            Some(earlier) if event.is_id_derived || earlier.payload_hash == payload_hash => {
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
    fn judge(&mut self, lane: &LaneId, _: &Decoded<'_>, offset: i64, _: &[u8]) -> Identity {
        if self.0.is_empty() {
            return Identity::New;
        }
        self.0
            .get(&(lane.clone(), offset))
            .copied()
            .unwrap_or(Identity::New)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Window;
    use shared_schema::{EventType, Subscriptions, decode};

    /// An event, and the same one written with other spaces.
    fn written_twice(event: &serde_json::Value) -> [String; 2] {
        [
            event.to_string(),
            serde_json::to_string_pretty(event).unwrap(),
        ]
    }

    fn judged(texts: &[String]) -> Vec<Identity> {
        let lane = LaneId {
            topic: "route".to_owned(),
            partition: 0,
        };
        let mut identities = Identities::default();
        identities.put(lane.clone(), Window::new(1, 10));
        let subscriptions = Subscriptions::default();
        let source = subscriptions.carrying(EventType::RouteCreated).unwrap();
        let judge = |(offset, text): (i64, &String)| {
            let event = decode(text.as_bytes(), source).unwrap();
            identities.judge(&lane, &event, offset, text.as_bytes())
        };
        (0..).zip(texts).map(judge).collect()
    }

    #[test]
    fn an_event_without_an_id_is_a_repetition_however_it_is_written() {
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared-schema/fixtures");
        let fixture = std::fs::read(format!("{fixtures}/{}.json", EventType::RouteCreated));
        let mut event: serde_json::Value = serde_json::from_slice(&fixture.unwrap()).unwrap();
        event["event_id"] = "0193e2f0-0000-7000-8000-000000000001".into();
        let with_id = judged(&written_twice(&event));
        assert_eq!(with_id, [Identity::New, Identity::Reused(0)]);
        event.as_object_mut().unwrap().remove("event_id");
        let without = judged(&written_twice(&event));
        assert_eq!(without, [Identity::New, Identity::Repeats(0)]);
    }
}
