//! Which topics a batch takes of what is gathered.
//!
//! Every table that a batch touches costs ClickHouse a part, however few its rows. So a batch takes everything while it
//! has room for everything; while the member is behind, it takes one topic, the fullest, and the others fill up
//! meanwhile. Topics that have waited for too long have their turn before, the longest wait first: so none waits for more
//! batches than there are topics, however slowly they are written and however little of it there is.

use std::{cmp::Reverse, ops::Add, time::Duration};

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
pub(super) struct Gathered {
    pub(super) size: Size,
    /// By how much it has waited for longer than anything should, if it has.
    pub(super) late: Option<Duration>,
}

/// The indexes of the topics that a batch of at most `limit` takes: at least one, if there is one.
pub(super) fn choose(gathered: &[Gathered], limit: Size) -> Vec<usize> {
    let all = gathered
        .iter()
        .fold(Size::default(), |sum, of| sum + of.size);
    if all.fits(limit) {
        return (0..gathered.len()).collect();
    }
    let mut order: Vec<_> = gathered.iter().enumerate().collect();
    order.sort_by_key(|(_, of)| (Reverse(of.late), Reverse(of.size.rows)));
    let mut taken = Size::default();
    let mut chosen = Vec::new();
    for (index, of) in order {
        let sum = taken + of.size;
        if chosen.is_empty() || (of.late.is_some() && sum.fits(limit)) {
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

    fn gathered(rows: usize) -> Gathered {
        let size = Size { rows, bytes: rows };
        Gathered { size, late: None }
    }

    fn late(rows: usize, by_ms: u64) -> Gathered {
        Gathered {
            late: Some(Duration::from_millis(by_ms)),
            ..gathered(rows)
        }
    }

    #[test]
    fn everything_is_taken_while_it_fits() {
        assert_eq!(choose(&[gathered(60), late(40, 1)], LIMIT), [0, 1]);
        assert!(choose(&[], LIMIT).is_empty());
    }

    #[test]
    fn of_too_much_the_fullest_topic_is_taken_alone() {
        assert_eq!(
            choose(&[gathered(30), gathered(70), gathered(10)], LIMIT),
            [1]
        );
    }

    #[test]
    fn late_topics_go_first_as_long_as_they_fit() {
        let topics = [late(30, 1), gathered(90), late(80, 2), late(15, 0)];
        assert_eq!(choose(&topics, LIMIT), [2, 3]);
    }

    #[test]
    fn of_late_topics_the_longest_wait_goes_first_however_little_it_holds() {
        let topics = [late(100, 30), late(10, 50), late(100, 40), late(5, 0)];
        assert_eq!(choose(&topics, LIMIT), [1, 3]);
    }

    #[test]
    fn no_topic_waits_for_more_batches_than_there_are_topics() {
        const TOPICS: usize = 6;
        // all are full again, and late again, by the time that the next batch is cut; the last never has much
        let mut since = [0; TOPICS];
        let mut turns = [0; TOPICS];
        for batch in 1..=TOPICS as u64 * 10 {
            let topics: Vec<_> = since
                .iter()
                .zip([100, 100, 100, 100, 100, 10])
                .map(|(since, rows)| late(rows, batch - since))
                .collect();
            for index in choose(&topics, LIMIT) {
                since[index] = batch;
                turns[index] += 1;
            }
        }
        assert_eq!(turns, [10; TOPICS]);
    }

    #[test]
    fn a_topic_beyond_the_limit_is_taken_all_the_same() {
        assert_eq!(choose(&[gathered(101), gathered(1)], LIMIT), [0]);
    }
}
