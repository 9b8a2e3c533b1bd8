//! How many records of each topic must get which verdict.

use crate::mess::Emission;
use crate::record::Expected;
use serde::Serialize;
use shared_schema::{Domain, ReasonCode};
use std::collections::BTreeMap;

/// Verdicts by topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Verdicts {
    topics: BTreeMap<Domain, TopicVerdicts>,
}

/// The verdicts on the records of one topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TopicVerdicts {
    /// Records that count.
    pub accepted: u64,
    /// Records that repeat another.
    pub duplicate: u64,
    /// Records that are refused, by reason.
    pub dead_lettered: BTreeMap<ReasonCode, u64>,
}

impl Verdicts {
    /// Takes a record into account.
    pub fn observe(&mut self, emission: &Emission) {
        let topic = self.topics.entry(emission.record.topic).or_default();
        match emission.expected {
            Expected::Accepted => topic.accepted += 1,
            Expected::Duplicate => topic.duplicate += 1,
            Expected::DeadLetter(reason) => *topic.dead_lettered.entry(reason).or_default() += 1,
        }
    }

    /// The verdicts on a topic's records.
    #[must_use]
    pub fn of(&self, topic: Domain) -> TopicVerdicts {
        self.topics.get(&topic).cloned().unwrap_or_default()
    }

    /// The verdicts on all records.
    #[must_use]
    pub fn total(&self) -> TopicVerdicts {
        let mut total = TopicVerdicts::default();
        for topic in self.topics.values() {
            total.accepted += topic.accepted;
            total.duplicate += topic.duplicate;
            for (reason, count) in &topic.dead_lettered {
                *total.dead_lettered.entry(*reason).or_default() += count;
            }
        }
        total
    }
}

impl TopicVerdicts {
    /// How many records there are.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.accepted + self.duplicate + self.dead_lettered.values().sum::<u64>()
    }
}
