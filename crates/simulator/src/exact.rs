//! A story with an exact number of records, told to its very end.
//!
//! How many records a story has is known once it has been told. So it is told twice: first to count, then with
//! some pings left out, evenly, until the number is right. What is left out changes no verdict on another record.

use crate::config::Config;
use crate::mess::{Emission, Mess, Traffic};
use crate::simulation::Simulation;

/// About as many records come from one booking.
const RECORDS_PER_RIDE: u64 = 14;

/// As many bookings tell how many events a booking has.
const SAMPLE_RIDES: u64 = 5_000;

/// As many times the number of bookings is corrected.
const CORRECTIONS: u32 = 6;

/// A story of so many records.
#[derive(Debug, Clone)]
pub struct Exactly {
    config: Config,
    mess: Mess,
    records: u64,
    count: Count,
}

/// How many bookings make about `records` records, judged by a small sample of the same story.
#[must_use]
pub fn rides_for(records: u64, config: &Config) -> u64 {
    let rides = (records / RECORDS_PER_RIDE).clamp(1, SAMPLE_RIDES);
    let sample = Simulation::new(&Config {
        rides,
        ..config.clone()
    })
    .count();
    let scaled = u128::from(records) * u128::from(rides) / (sample as u128).max(1);
    u64::try_from(scaled).unwrap_or(u64::MAX).max(1)
}

/// What a story amounts to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    records: u64,
    spare: u64,
}

impl Exactly {
    /// A story like `config`'s, with so many bookings that it has exactly `records` records.
    ///
    /// A number that is smaller than what founds the country cuts the story off; nothing else does.
    #[must_use]
    pub fn new(records: u64, config: &Config, mess: Mess) -> Self {
        let rides = (records / RECORDS_PER_RIDE).max(1);
        let mut exactly = Self {
            config: Config {
                rides,
                ..config.clone()
            },
            mess,
            records,
            count: Count::default(),
        };
        for _ in 0..CORRECTIONS {
            exactly.count = exactly
                .emissions_of_all()
                .fold(Count::default(), Count::add);
            if exactly.fits() {
                break;
            }
            exactly.correct();
        }
        exactly
    }

    /// Pings are enough to bridge the difference.
    const fn fits(&self) -> bool {
        self.records <= self.count.records && self.count.records <= self.records + self.count.spare
    }

    fn correct(&mut self) {
        let scaled = u128::from(self.config.rides) * u128::from(self.records)
            / u128::from(self.count.records.max(1));
        let scaled = u64::try_from(scaled).unwrap_or(u64::MAX);
        // A little more than needed: what is too much can be left out.
        self.config.rides = scaled.saturating_add(scaled / 200).saturating_add(1);
    }

    fn emissions_of_all(&self) -> impl Iterator<Item = Emission> + use<> {
        let story = Simulation::new(&self.config);
        Traffic::new(
            story,
            self.config.seed,
            self.mess.clone(),
            Some(self.config.end_ms),
        )
    }

    /// The story itself.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The records.
    pub fn emissions(&self) -> impl Iterator<Item = Emission> + use<> {
        let mut thinning = Thinning::new(&self.count, self.records);
        let limit = usize::try_from(self.records).unwrap_or(usize::MAX);
        self.emissions_of_all()
            .filter(move |emission| !emission.spare || thinning.keeps())
            .take(limit)
    }
}

impl Count {
    fn add(self, emission: Emission) -> Self {
        Self {
            records: self.records + 1,
            spare: self.spare + u64::from(emission.spare),
        }
    }
}

/// Leaves out an even share.
#[derive(Debug, Clone, Copy)]
struct Thinning {
    spare: u64,
    surplus: u64,
    seen: u64,
}

impl Thinning {
    fn new(count: &Count, wanted: u64) -> Self {
        let surplus = count.records.saturating_sub(wanted).min(count.spare);
        Self {
            spare: count.spare,
            surplus,
            seen: 0,
        }
    }

    fn keeps(&mut self) -> bool {
        let left_out =
            |seen: u64| u128::from(seen) * u128::from(self.surplus) / u128::from(self.spare.max(1));
        let before = left_out(self.seen);
        self.seen += 1;
        left_out(self.seen) == before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_exact_and_the_story_reaches_its_end() {
        let (start_ms, end_ms) = (1_711_324_800_000, 1_711_324_800_000 + 5 * 86_400_000);
        for records in [2_000, 7_777, 20_000] {
            let mess = Mess {
                duplicates: 0.05,
                malformed: 0.02,
                ..Mess::normal()
            };
            let exactly = Exactly::new(records, &Config::new(3, start_ms, end_ms, 0), mess);
            let told: Vec<i64> = exactly
                .emissions()
                .map(|emission| emission.record.timestamp_ms)
                .collect();
            assert_eq!(told.len() as u64, records);
            let last = told.last().copied().unwrap_or_default();
            assert!(last > end_ms - 3_600_000, "{records}: {}", end_ms - last);
        }
    }

    #[test]
    fn what_is_left_out_is_spread_evenly() {
        let mut thinning = Thinning {
            spare: 10,
            surplus: 3,
            seen: 0,
        };
        let kept: Vec<bool> = (0..10).map(|_| thinning.keeps()).collect();
        assert_eq!(kept.iter().filter(|kept| !**kept).count(), 3);
        assert!(kept.windows(2).all(|pair| pair[0] || pair[1]), "{kept:?}");
    }
}
