//! The beat of what is done again and again.

use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior};

/// Ticks at once, and then once an interval. Whoever is late is not hurried: the next tick is a whole interval later.
pub(crate) fn every(interval: Duration) -> Interval {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
