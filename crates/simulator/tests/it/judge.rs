//! The platform in small: judges records one after another as the contract says, with one partition per topic.

use shared_schema::{
    AgeLimits, Decoded, Domain, ReasonCode, Subscriptions, TopicsConfig, decode, judge_age,
};
use simulator::{Expected, Record};
use std::collections::HashMap;
use uuid::Uuid;

pub(crate) struct Judge {
    subscriptions: Subscriptions,
    decided_at_ms: i64,
    /// By topic: the offset and the bytes under which an identity was accepted.
    accepted: HashMap<(Domain, Uuid), (usize, Vec<u8>)>,
    offsets: HashMap<Domain, usize>,
    duplicate_within: usize,
}

impl Judge {
    pub(crate) fn new(decided_at_ms: i64, duplicate_within: usize) -> Self {
        Self {
            subscriptions: Subscriptions::new(&TopicsConfig::default()).unwrap(),
            decided_at_ms,
            accepted: HashMap::new(),
            offsets: HashMap::new(),
            duplicate_within,
        }
    }

    pub(crate) fn decode<'a>(
        &self,
        record: &'a Record,
    ) -> Result<Decoded<'a>, shared_schema::Rejection> {
        let source = self
            .subscriptions
            .by_topic(record.topic.default_topic())
            .unwrap();
        decode(&record.value, source)
    }

    pub(crate) fn judge(&mut self, record: &Record) -> Expected {
        let offset = self.offsets.entry(record.topic).or_default();
        *offset += 1;
        let offset = *offset;
        let decoded = match self.decode(record) {
            Ok(decoded) => decoded,
            Err(rejection) => return Expected::DeadLetter(rejection.reason),
        };
        let (time, identity) = (decoded.timestamp_ms, decoded.event_id);
        if let Err(rejection) = judge_age(
            time,
            self.decided_at_ms,
            record.topic,
            &AgeLimits::default(),
        ) {
            return Expected::DeadLetter(rejection.reason);
        }
        let accepted = self.accepted.get(&(record.topic, identity));
        match accepted.filter(|(first, _)| first + self.duplicate_within >= offset) {
            Some((_, value)) if *value == record.value => Expected::Duplicate,
            Some(_) => Expected::DeadLetter(ReasonCode::IdReused),
            None => {
                self.accepted
                    .insert((record.topic, identity), (offset, record.value.clone()));
                Expected::Accepted
            }
        }
    }
}
