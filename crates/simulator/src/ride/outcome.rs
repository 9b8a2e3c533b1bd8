//! How rides end.

use crate::dice::Dice;

/// How a ride ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It takes place.
    Completed,
    /// The rider never pays; the system cancels.
    Abandoned,
    /// The rider never pays, and nobody notices.
    Forgotten,
    /// The rider cancels before paying.
    RegrettedUnpaid,
    /// The rider cancels after paying.
    Regretted,
    /// The driver cancels at the departure.
    DriverGaveUp,
    /// It ends on the way.
    BrokeDown,
}

/// Out of a thousand.
const SHARES: [(Outcome, u32); 7] = [
    (Outcome::Completed, 815),
    (Outcome::Abandoned, 50),
    (Outcome::Forgotten, 10),
    (Outcome::RegrettedUnpaid, 20),
    (Outcome::Regretted, 60),
    (Outcome::DriverGaveUp, 33),
    (Outcome::BrokeDown, 12),
];

impl Outcome {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        dice.weighted(&SHARES).copied().unwrap_or(Self::Completed)
    }
}
