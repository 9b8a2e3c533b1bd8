//! Chance that repeats: every draw follows from the seed and from what it is for.
//!
//! Each subject (a ride, a user, the wire, …) has a ChaCha stream of its own, so that a change in how one ride
//! goes does not change all that follow. Only additions, multiplications and square roots are used, which IEEE 754
//! fixes to the last bit; logarithms and sines differ between machines.

use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use uuid::{Builder, Uuid};

/// What a stream of chance is for.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(crate) enum Subject {
    Population = 1,
    User = 2,
    Ride = 3,
    Demand = 4,
    RouteCare = 5,
    Wire = 6,
    Mess = 7,
    Filler = 8,
    Replay = 9,
}

/// A stream of chance.
#[derive(Debug, Clone)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of the `index`-th thing (below 2⁵⁶) of a subject.
    pub(crate) fn new(seed: u64, subject: Subject, index: u64) -> Self {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        chance.set_stream((u64::from(subject as u8) << 56) | index);
        Self(chance)
    }

    /// True with probability `share`; never for 0, always for 1.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && self.unit() < share
    }

    /// Uniform in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// Uniform from `low` to `high`, both included; `low` when they are the wrong way round.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            low
        } else {
            self.0.random_range(low..=high)
        }
    }

    /// Uniform below `count`; 0 when there is nothing to choose from.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        if count < 2 {
            0
        } else {
            self.0.random_range(0..count)
        }
    }

    /// One of them, each as likely as the others.
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.below(choices.len()))
    }

    /// One of them, as likely as its weight says.
    pub(crate) fn weighted<'a, T>(&mut self, choices: &'a [(T, u32)]) -> Option<&'a T> {
        let total: u32 = choices.iter().map(|(_, weight)| weight).sum();
        let mut left = self.below(total as usize);
        for (choice, weight) in choices {
            match left.checked_sub(*weight as usize) {
                Some(rest) => left = rest,
                None => return Some(choice),
            }
        }
        choices.last().map(|(choice, _)| choice)
    }

    /// At least 1, with a long tail: the chance to exceed x is 1/x². Cut at 100.
    pub(crate) fn long_tail(&mut self) -> f64 {
        1.0 / (1.0 - self.unit()).max(1e-4).sqrt()
    }

    /// A random (version 4) UUID.
    pub(crate) fn uuid(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Any 32 bits.
    pub(crate) fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }
}

/// `value` to the nearest whole number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` saturates; the simulation's numbers are far smaller"
)]
pub(crate) const fn whole(value: f64) -> i64 {
    value.round() as i64
}

/// A whole number as a float; exact below 2⁵³.
#[expect(
    clippy::cast_precision_loss,
    reason = "the simulation's numbers stay below 2^53"
)]
pub(crate) const fn float(value: i64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_subject_repeat_and_others_differ() {
        let draw = |seed, subject, index| Dice::new(seed, subject, index).uuid();
        assert_eq!(draw(1, Subject::Ride, 7), draw(1, Subject::Ride, 7));
        assert_ne!(draw(1, Subject::Ride, 7), draw(2, Subject::Ride, 7));
        assert_ne!(draw(1, Subject::Ride, 7), draw(1, Subject::User, 7));
        assert_ne!(draw(1, Subject::Ride, 7), draw(1, Subject::Ride, 8));
    }

    #[test]
    fn weights_decide_how_often_something_is_chosen() {
        let mut dice = Dice::new(3, Subject::Mess, 0);
        let choices = [("never", 0), ("often", 9), ("rarely", 1)];
        let often = (0..10_000)
            .filter(|_| dice.weighted(&choices) == Some(&"often"))
            .count();
        assert!((8_800..9_200).contains(&often), "{often}");
        assert!((0..1_000).all(|_| dice.weighted(&choices) != Some(&"never")));
    }

    #[test]
    fn one_draw_in_a_hundred_exceeds_ten() {
        let mut dice = Dice::new(4, Subject::Mess, 0);
        let beyond_ten = (0..100_000).filter(|_| dice.long_tail() > 10.0).count();
        assert!((800..1_200).contains(&beyond_ten), "{beyond_ten}");
    }
}
