//! What goes wrong between producers and Kafka: records sent twice, and records that are no events.
//!
//! Nothing of it takes an event away: duplicates and spoilt records come on top of the story.

mod json;
mod spoil;
mod time;

use crate::dice::{Dice, Subject};
use crate::event::LogicalEvent;
use crate::post::Occurrence;
use crate::record::{Expected, Record};
use crate::wire::{self, Style};
use shared_schema::{Domain, ReasonCode};
use spoil::spoil;
use std::collections::BTreeMap;
use std::collections::VecDeque;
use uuid::fmt::Hyphenated;

/// How much goes wrong; the shares are relative to the events of the story.
#[derive(Debug, Clone, PartialEq)]
pub struct Mess {
    /// Share of the events that are sent a second time.
    pub duplicates: f64,
    /// At most so many records of all topics lie between a record and its repetition.
    pub duplicate_within: u32,
    /// Spoilt records per event.
    pub malformed: f64,
    /// For which reasons they are refused; `too_large` comes rarely, it is a megabyte each.
    pub reasons: Vec<ReasonCode>,
}

impl Mess {
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        duplicates: 0.0,
        duplicate_within: 0,
        malformed: 0.0,
        reasons: Vec::new(),
    };

    /// The share that a platform should be ready for, and every reason.
    #[must_use]
    pub fn normal() -> Self {
        Self {
            duplicates: 0.01,
            duplicate_within: 500,
            malformed: 0.002,
            reasons: ReasonCode::ALL.to_vec(),
        }
    }
}

/// A record, what must become of it, and what it tells when it is accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Emission {
    /// What is sent.
    pub record: Record,
    /// What must become of it.
    pub expected: Expected,
    /// What it tells, if it is accepted; for the answer key.
    pub event: Option<LogicalEvent>,
    /// Whether it could be left out without changing the verdict on another: a ping that is not repeated.
    pub spare: bool,
}

/// The records of a story, with what goes wrong on the way.
#[derive(Debug)]
pub struct Traffic<S> {
    story: S,
    mess: Mess,
    /// When the platform judges the age of the records, if not as they arrive.
    judged_at_ms: Option<i64>,
    wire: Dice,
    chance: Dice,
    now_ms: i64,
    sent: u64,
    at_once: VecDeque<Emission>,
    /// By the number of records after which they are due.
    repeats: BTreeMap<(u64, u64), Emission>,
}

impl<S: Iterator<Item = Occurrence>> Traffic<S> {
    /// The records of `story`. They will be judged at `judged_at_ms`, or as they arrive.
    pub fn new(story: S, seed: u64, mess: Mess, judged_at_ms: Option<i64>) -> Self {
        Self {
            story,
            mess,
            judged_at_ms,
            wire: Dice::new(seed, Subject::Wire, 0),
            chance: Dice::new(seed, Subject::Mess, 0),
            now_ms: i64::MIN,
            sent: 0,
            at_once: VecDeque::new(),
            repeats: BTreeMap::new(),
        }
    }

    fn tell(&mut self, occurrence: Occurrence) -> Emission {
        self.now_ms = occurrence.arrival_ms;
        let event = occurrence.event;
        let mut value = Vec::with_capacity(640);
        wire::encode(&event, &Style::draw(&mut self.wire), &mut value);
        let record = self.record(event.fact.domain(), &event, value);
        let mut spare = event.fact.domain() == Domain::Location;
        if self.chance.chance(self.mess.duplicates) {
            spare = false;
            self.repeat(record.clone(), Expected::Duplicate);
        }
        if self.chance.chance(self.mess.malformed) {
            spare &= !self.spoil(&event);
        }
        Emission {
            record,
            expected: Expected::Accepted,
            event: Some(event),
            spare,
        }
    }

    /// Adds a spoilt record; true when it refers to the event's own.
    fn spoil(&mut self, event: &LogicalEvent) -> bool {
        let judged_at_ms = self.judged_at_ms.unwrap_or(self.now_ms).max(self.now_ms);
        let reason = self.reason(event);
        let (topic, value) = spoil(reason, event, judged_at_ms, &mut self.chance);
        let record = self.record(topic, event, value);
        let expected = Expected::DeadLetter(reason);
        if reason == ReasonCode::IdReused {
            self.repeat(record, expected);
            return true;
        }
        self.at_once.push_back(Emission {
            record,
            expected,
            event: None,
            spare: false,
        });
        false
    }

    fn reason(&mut self, event: &LogicalEvent) -> ReasonCode {
        let possible =
            |reason: &&ReasonCode| **reason != ReasonCode::IdReused || event.id.is_some();
        let weighted: Vec<(ReasonCode, u32)> = self
            .mess
            .reasons
            .iter()
            .filter(possible)
            .map(|reason| {
                (
                    *reason,
                    if *reason == ReasonCode::TooLarge {
                        1
                    } else {
                        20
                    },
                )
            })
            .collect();
        self.chance
            .weighted(&weighted)
            .copied()
            .unwrap_or(ReasonCode::InvalidJson)
    }

    fn record(&self, topic: Domain, event: &LogicalEvent, value: Vec<u8>) -> Record {
        let mut text = [0; Hyphenated::LENGTH];
        let key = event.fact.entity().as_hyphenated().encode_lower(&mut text);
        let key = key.as_bytes().to_vec();
        Record {
            topic,
            key,
            value,
            timestamp_ms: self.now_ms,
        }
    }

    /// Sends the record again, after a while. Its key is that of the original, hence the partition too.
    fn repeat(&mut self, record: Record, expected: Expected) {
        let wait = self
            .chance
            .between(1, i64::from(self.mess.duplicate_within));
        let due = self.sent + u64::try_from(wait).unwrap_or(1);
        let place = (
            due,
            self.sent * 2 + u64::from(expected == Expected::Duplicate),
        );
        self.repeats.insert(
            place,
            Emission {
                record,
                expected,
                event: None,
                spare: false,
            },
        );
    }

    fn due_repeat(&mut self) -> Option<Emission> {
        let (due, _) = *self.repeats.first_key_value()?.0;
        if due > self.sent {
            None
        } else {
            self.first_repeat()
        }
    }

    fn first_repeat(&mut self) -> Option<Emission> {
        let (_, mut emission) = self.repeats.pop_first()?;
        emission.record.timestamp_ms = self.now_ms;
        Some(emission)
    }
}

impl<S: Iterator<Item = Occurrence>> Iterator for Traffic<S> {
    type Item = Emission;

    fn next(&mut self) -> Option<Emission> {
        let emission = match self.at_once.pop_front().or_else(|| self.due_repeat()) {
            Some(emission) => emission,
            None => match self.story.next() {
                Some(occurrence) => self.tell(occurrence),
                None => self.first_repeat()?,
            },
        };
        self.sent += 1;
        Some(emission)
    }
}
