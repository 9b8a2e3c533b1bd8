//! Where one lane stands.

use std::{collections::VecDeque, time::Instant};

/// A range that is cut.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) hi: i64,
    /// Kafka's timestamp of the first record, if there is one.
    pub(super) first: Option<i64>,
    /// When it was cut, which is when the pipeline got it.
    pub(super) since: Instant,
}

/// Where one lane stands.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) epoch: i64,
    /// Everything before it is durable.
    pub(super) durable: i64,
    /// What was durable when its progress was last worked out: since then, its log cannot end before.
    pub(super) reached: i64,
    /// Ranges that are cut and not durable.
    pub(super) cut: VecDeque<Cut>,
    /// Kafka's timestamp of the first record that is gathered and not cut.
    pub(super) gathering: Option<i64>,
    /// Kafka's end when last asked.
    pub(super) end: Option<i64>,
    pub(super) complete_through: Option<i64>,
    pub(super) leaving: bool,
    /// Batches that hold it and are neither closed nor given up.
    pub(super) held: u32,
    pub(super) stopped: bool,
    /// It stands still because an operator has retired it.
    pub(super) retired: bool,
    /// A batch could not be opened on it, or was forgotten by PostgreSQL.
    pub(super) lost: bool,
}

impl Standing {
    /// The first record that is not durable tells how far the lane is complete; where there is none, the moment
    /// at which Kafka's end was seen. Where it has not been fetched yet, what was known before stays; so it does where
    /// the lane stands still, or the log that ends there is another one.
    pub(super) fn advance(&mut self, end: i64, asked_at_ms: i64) {
        // a producer's clock may be ahead: whatever it says, the record was there when it was first looked at
        let firsts = self.cut.iter_mut().filter_map(|cut| cut.first.as_mut());
        for first in firsts.chain(self.gathering.as_mut()) {
            *first = (*first).min(asked_at_ms);
        }
        let mut firsts = self.cut.iter().filter_map(|cut| cut.first);
        let first_open = firsts.next().or(self.gathering);
        let is_read = !self.stopped && end >= self.reached;
        let known = match first_open {
            Some(first) => Some(first),
            None if is_read && self.durable >= end => Some(asked_at_ms),
            None => None,
        };
        self.complete_through = known.or(self.complete_through);
        self.reached = self.durable;
    }
}
