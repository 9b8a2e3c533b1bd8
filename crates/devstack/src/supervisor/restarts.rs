//! When to start something again that has ended by itself.

use std::time::{Duration, Instant};

const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// Whoever ran this long starts over with the first delay.
const STEADY: Duration = Duration::from_secs(60);

/// The restarts of one member: each end in quick succession doubles the delay.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    last_start: Option<Instant>,
    delay: Duration,
    due: Option<Instant>,
}

impl Restarts {
    /// Takes note that the member has ended; the delay until its next start, when that is news.
    pub(super) fn ended(&mut self, now: Instant) -> Option<Duration> {
        if self.due.is_some() {
            return None;
        }
        let was_steady = self
            .last_start
            .is_none_or(|start| now.duration_since(start) >= STEADY);
        self.delay = if was_steady {
            FIRST_DELAY
        } else {
            (self.delay * 2).min(LONGEST_DELAY)
        };
        self.due = Some(now + self.delay);
        Some(self.delay)
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| now >= due)
    }

    pub(super) fn started(&mut self, now: Instant) {
        self.last_start = Some(now);
        self.due = None;
    }

    /// Somebody stopped or started the member by hand.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_in_quick_succession_double_the_delay_up_to_a_limit() {
        let mut now = Instant::now();
        let mut restarts = Restarts::default();
        let mut delays = Vec::new();
        for _ in 0..8 {
            let delay = restarts.ended(now).unwrap();
            assert!(!restarts.is_due(now));
            now += delay;
            assert!(restarts.is_due(now));
            restarts.started(now);
            delays.push(delay.as_millis());
        }
        assert_eq!(delays, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
    }

    #[test]
    fn a_long_run_is_forgiven() {
        let now = Instant::now();
        let mut restarts = Restarts::default();
        restarts.ended(now).unwrap();
        restarts.started(now);
        restarts.ended(now).unwrap();
        restarts.started(now);
        assert_eq!(restarts.ended(now + STEADY), Some(FIRST_DELAY));
    }

    #[test]
    fn one_end_is_told_once() {
        let now = Instant::now();
        let mut restarts = Restarts::default();
        assert!(restarts.ended(now).is_some());
        assert!(restarts.ended(now).is_none());
    }
}
