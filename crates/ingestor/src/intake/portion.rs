//! Which topics a batch takes of what is gathered.
//!
//! Every table that a batch touches costs ClickHouse a part, however few its rows. So a batch takes everything while it
//! has room for everything; while the member is behind, it takes one topic, the fullest, and the others fill up
//! meanwhile. A topic that has waited for too long has its turn before.

use std::{cmp::Reverse, ops::Add};

/// Records and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Size {
    /// Whether neither exceeds `limit`.
    pub(super) fn fits(self, limit: Self) -> bool {
        self.rows <= limit.rows && self.bytes <= limit.bytes
    }

    /// Whether one of them is used up.
    pub(super) fn fills(self, limit: Self) -> bool {
        self.rows >= limit.rows || self.bytes >= limit.bytes
    }
}

impl Add for Size {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            bytes: self.bytes + other.bytes,
        }
    }
}

/// What is gathered of a topic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub(super) size: Size,
    /// Whether it has waited for as long as anything may.
    pub(super) late: bool,
}

/// The indexes of the topics that a batch of at most `limit` takes: at least one, if there is one.
pub(super) fn choose(waiting: &[Waiting], limit: Size) -> Vec<usize> {
    let all = waiting
        .iter()
        .fold(Size::default(), |sum, of| sum + of.size);
    if all.fits(limit) {
        return (0..waiting.len()).collect();
    }
    let mut order: Vec<_> = waiting.iter().enumerate().collect();
    order.sort_by_key(|(_, of)| (Reverse(of.late), Reverse(of.size.rows)));
    let mut taken = Size::default();
    let mut chosen = Vec::new();
    for (index, of) in order {
        let sum = taken + of.size;
        if chosen.is_empty() || (of.late && sum.fits(limit)) {
            chosen.push(index);
            taken = sum;
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Size = Size {
        rows: 100,
        bytes: 1_000,
    };

    fn waiting(rows: usize, late: bool) -> Waiting {
        let size = Size { rows, bytes: rows };
        Waiting { size, late }
    }

    #[test]
    fn everything_is_taken_while_it_fits() {
        assert_eq!(
            choose(&[waiting(60, false), waiting(40, false)], LIMIT),
            [0, 1]
        );
        assert!(choose(&[], LIMIT).is_empty());
    }

    #[test]
    fn of_too_much_the_fullest_topic_is_taken_alone() {
        let topics = [waiting(30, false), waiting(70, false), waiting(10, false)];
        assert_eq!(choose(&topics, LIMIT), [1]);
    }

    #[test]
    fn late_topics_go_first_as_long_as_they_fit() {
        let topics = [
            waiting(30, true),
            waiting(90, false),
            waiting(80, true),
            waiting(15, true),
        ];
        assert_eq!(choose(&topics, LIMIT), [2, 3]);
    }

    #[test]
    fn a_topic_beyond_the_limit_is_taken_all_the_same() {
        assert_eq!(
            choose(&[waiting(101, false), waiting(1, false)], LIMIT),
            [0]
        );
    }
}
