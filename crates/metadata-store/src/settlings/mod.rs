//! Settlings: batches of facts whose region has become known. At most one is under way.

mod forget;
mod horizon;
mod intent;
mod open;
mod progress;
mod turn;

pub(crate) use self::horizon::too_early;
pub use self::{
    forget::forget_done,
    horizon::{Horizon, raise_horizon},
    intent::{Facts, Settling, Slice, State},
    open::{current, open, unfinished_since},
    progress::{advance, next_attempt},
    turn::{Turn, take_turn},
};
