//! The users, drivers and routes that are there when the first booking is made.

use super::Simulation;
use crate::config::{Config, Founding};
use crate::dice::{Dice, Subject};
use crate::event::Role;

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    riders: u64,
    drivers: u64,
}

impl Size {
    /// Enough drivers for the rides of one headway, even at the busiest hour, and enough riders for each to ride a
    /// few times. A country of before the story arrives all at once, so it is smaller; riders join all the time.
    fn of(config: &Config) -> Self {
        let span_ms = config.end_ms - config.opening_ms();
        let headways = u64::try_from(span_ms / config.tempo.headway_ms)
            .unwrap_or_default()
            .max(1);
        let rides = config.rides / headways;
        let (drivers, riders_per_driver) = match config.founding {
            Founding::Within => (rides / 2, 40),
            Founding::Before => (rides / 4, 2),
        };
        let drivers = drivers.clamp(8, 60_000);
        Self {
            riders: (config.rides / 12).min(drivers * riders_per_driver).max(20),
            drivers,
        }
    }
}

impl Simulation {
    pub(super) fn found(&mut self) {
        let (from_ms, until_ms) = self.config.founding_ms();
        let size = Size::of(&self.config);
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
