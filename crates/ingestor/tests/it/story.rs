//! Traffic with a known outcome.

use crate::platform::Platform;
use chrono::Utc;
use simulator::{Config, Emission, Expected, Mess, Record, Simulation, Traffic};
use std::collections::BTreeMap;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// The traffic of so many rides.
pub fn traffic(seed: u64, rides: u64) -> Vec<Emission> {
    let now = Utc::now().timestamp_millis();
    let config = Config::new(seed, now - 25 * DAY_MS, now - DAY_MS / 24, rides);
    let mess = Mess {
        malformed: 0.01,
        ..Mess::normal()
    };
    Traffic::new(Simulation::new(&config), seed, mess, Some(now)).collect()
}

/// Records of the last weeks, with duplicates and records that are no events, and what must become of them.
pub struct Story {
    pub emissions: Vec<Emission>,
}

impl Story {
    pub fn new(seed: u64, rides: u64) -> Self {
        println!("seed {seed}");
        Self {
            emissions: traffic(seed, rides),
        }
    }

    pub fn len(&self) -> u64 {
        self.emissions.len() as u64
    }

    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.emissions.iter().map(|emission| &emission.record)
    }

    /// The records in so many portions of about the same size.
    pub fn portions(&self, count: usize) -> impl Iterator<Item = impl Iterator<Item = &Record>> {
        let size = self.emissions.len().div_ceil(count).max(1);
        self.emissions
            .chunks(size)
            .map(|portion| portion.iter().map(|emission| &emission.record))
    }

    /// The same, to be kept and sent in any order.
    pub fn split(&self, count: usize) -> Vec<Vec<Record>> {
        self.portions(count)
            .map(|portion| portion.cloned().collect())
            .collect()
    }

    pub fn count(&self, expected: Expected) -> u64 {
        self.emissions
            .iter()
            .filter(|emission| emission.expected == expected)
            .count() as u64
    }

    /// Dead letters by reason.
    pub fn reasons(&self) -> BTreeMap<String, u64> {
        let mut reasons = BTreeMap::new();
        for emission in &self.emissions {
            if let Expected::DeadLetter(reason) = emission.expected {
                *reasons.entry(reason.as_str().to_owned()).or_default() += 1;
            }
        }
        reasons
    }

    /// Every record of the story has got its verdict once, every aggregate says what the rows say, and every offset
    /// is accounted for.
    pub async fn assert_told(&self, platform: &Platform) {
        assert_eq!(platform.dead_letters().await, self.reasons());
        assert_eq!(
            platform.number("(SELECT count() FROM duplicates)").await,
            self.count(Expected::Duplicate)
        );
        assert_eq!(
            platform.number("(SELECT count() FROM events_raw)").await,
            self.count(Expected::Accepted)
        );
        platform.assert_exact().await;
        platform.assert_balanced().await;
    }
}
