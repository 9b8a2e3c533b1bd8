//! Where one lane stands.

use std::{collections::VecDeque, time::Instant};

/// In place of a time of arrival that nobody knows.
pub(super) const UNKNOWN: i64 = i64::MAX;

/// A range that is cut.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) hi: i64,
    /// Kafka's timestamp of the first record, if there is one.
    pub(super) first: Option<i64>,
    /// When it was cut, which is when the pipeline got it.
    pub(super) since: Instant,
}

/// An end of the lane's log, and when Kafka was asked for it.
#[derive(Debug)]
pub(super) struct End {
    offset: i64,
    asked_at_ms: i64,
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
    /// An earlier end that was not durable yet: under a steady load the newest never is.
    pub(super) awaited: Option<End>,
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
    /// The first record that is not durable tells how far the lane is complete; where there is none, or nobody knows when
    /// it arrived, the moment at which an end was seen that is durable now. Where there is no such end either, what was
    /// known before stays; so it does where the lane stands still, or the log that ends there is another one.
    pub(super) fn advance(&mut self, end: i64, asked_at_ms: i64) {
        let firsts = self.cut.iter_mut().filter_map(|cut| cut.first.as_mut());
        for first in firsts.chain(self.gathering.as_mut()) {
            // by a broker's clock that is ahead; it says no more once its time has come
            if *first > asked_at_ms {
                *first = UNKNOWN;
            }
        }
        let mut firsts = self.cut.iter().filter_map(|cut| cut.first);
        let first_open = firsts.next().or(self.gathering);
        let is_read = !self.stopped && end >= self.reached;
        let is_durable = |end: i64| is_read && self.durable >= end;
        let awaited = self.awaited.as_ref();
        let passed = awaited.filter(|awaited| is_durable(awaited.offset));
        let known = match first_open.filter(|first| *first != UNKNOWN) {
            Some(first) => Some(first),
            None if is_durable(end) => Some(asked_at_ms),
            None => passed
                .map(|passed| passed.asked_at_ms)
                .max(self.complete_through),
        };
        if is_read && (awaited.is_none() || passed.is_some()) {
            self.awaited = Some(End {
                offset: end,
                asked_at_ms,
            });
        }
        self.complete_through = known;
        self.reached = self.durable;
    }
}
