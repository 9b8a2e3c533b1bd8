//! The users, drivers and routes that are there when the first booking is made.

use super::Simulation;
use crate::config::Founding;
use crate::dice::{Dice, Subject};
use crate::event::Role;

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    riders: u64,
    drivers: u64,
}

impl Size {
    /// Enough riders for each to ride a few times, and enough drivers for the rides of one headway.
    fn of(rides: u64, span_ms: i64, headway_ms: i64) -> Self {
        let headways = u64::try_from(span_ms / headway_ms)
            .unwrap_or_default()
            .max(1);
        let drivers = (rides / headways / 2).clamp(8, 60_000);
        Self {
            riders: (rides / 12).min(drivers * 40).max(20),
            drivers,
        }
    }
}

impl Simulation {
    pub(super) fn found(&mut self) {
        let (from_ms, until_ms) = self.config.founding_ms();
        let span_ms = self.config.end_ms - self.config.opening_ms();
        let size = Size::of(self.config.rides, span_ms, self.config.tempo.headway_ms);
        let mut dice = Dice::new(self.config.seed, Subject::Population, 0);
        for _ in 0..size.drivers {
            let registered_ms = dice.between(from_ms, until_ms);
            let driver = self.newcomer(registered_ms, Role::Driver);
            for _ in 0..dice.between(1, 2) {
                let opened_ms = dice.between(registered_ms, until_ms);
                let veteran = dice.chance(0.02);
                self.open_route(&driver, opened_ms, veteran, &mut dice);
            }
        }
        for _ in 0..size.riders {
            let registered_ms = dice.between(from_ms, until_ms);
            let rider = self.newcomer(registered_ms, Role::Rider);
            self.people.join(&rider);
        }
        self.newcomer(from_ms, Role::Admin);
        if self.config.founding == Founding::Before {
            self.post.hold_until(self.config.start_ms);
        }
    }
}
