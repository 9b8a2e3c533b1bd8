//! Events between the place where they happen and Kafka: each with its own delay, delivered by arrival.

mod delivery;

pub(crate) use delivery::Delivery;

use crate::config::{Config, Disorder};
use crate::dice::Dice;
use crate::event::{Fact, LogicalEvent};
use crate::ride::Script;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// An event and when it reaches Kafka.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrence {
    /// Milliseconds since 1970.
    pub arrival_ms: i64,
    /// What arrives.
    pub event: LogicalEvent,
}

/// What the post does with events.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) disorder: Disorder,
    /// No ride happened before.
    pub(crate) opening_ms: i64,
    /// What happens later is not told.
    pub(crate) end_ms: i64,
    /// Locations before are not told.
    pub(crate) pings_since_ms: i64,
}

impl From<&Config> for Terms {
    fn from(config: &Config) -> Self {
        Self {
            disorder: config.disorder,
            opening_ms: config.opening_ms(),
            end_ms: config.end_ms,
            pings_since_ms: config.pings_since_ms,
        }
    }
}

/// The post, with all that is on its way.
#[derive(Debug)]
pub(crate) struct Post {
    terms: Terms,
    heap: BinaryHeap<Reverse<Letter>>,
    sent: u64,
}

/// Ordered by arrival, then by the order in which they were sent.
#[derive(Debug)]
struct Letter {
    place: (i64, u64),
    event: Box<LogicalEvent>,
}

impl PartialEq for Letter {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Letter {}

impl PartialOrd for Letter {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Letter {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place.cmp(&other.place)
    }
}

impl Post {
    pub(crate) fn new(terms: Terms) -> Self {
        Self {
            terms,
            heap: BinaryHeap::new(),
            sent: 0,
        }
    }

    pub(crate) const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Sends the events on their way, as far as they have happened when the story ends.
    pub(crate) fn send(&mut self, script: Script, delivery: Delivery, dice: &mut Dice) {
        for (happened_ms, fact) in script {
            if !self.takes(happened_ms, &fact, &delivery) {
                continue;
            }
            let (arrival_ms, event) = delivery.carry(&self.terms, happened_ms, fact, dice);
            self.sent += 1;
            let place = (arrival_ms, self.sent);
            self.heap.push(Reverse(Letter {
                place,
                event: Box::new(event),
            }));
        }
    }

    fn takes(&self, happened_ms: i64, fact: &Fact, delivery: &Delivery) -> bool {
        let too_early = matches!(fact, Fact::Location(_))
            && delivery.told_ms(happened_ms) < self.terms.pings_since_ms;
        happened_ms <= self.terms.end_ms && !too_early
    }

    /// Lets nothing of what is on its way arrive before `instant_ms`.
    pub(crate) fn hold_until(&mut self, instant_ms: i64) {
        for Reverse(mut letter) in std::mem::take(&mut self.heap).into_vec() {
            letter.place.0 = letter.place.0.max(instant_ms);
            self.heap.push(Reverse(letter));
        }
    }

    /// Whether the next event to arrive does so before `instant_ms`.
    pub(crate) fn delivers_before(&self, instant_ms: i64) -> bool {
        self.heap
            .peek()
            .is_some_and(|Reverse(first)| first.place.0 < instant_ms)
    }

    pub(crate) fn deliver(&mut self) -> Option<Occurrence> {
        let Reverse(Letter {
            place: (arrival_ms, _),
            event,
        }) = self.heap.pop()?;
        Some(Occurrence {
            arrival_ms,
            event: *event,
        })
    }
}
