//! Whose turn it is to settle.

use crate::{Pool, StoreError, locks};

pub use crate::locks::Turn;

/// Takes the turn to settle, unless another process has it.
pub async fn take_turn(pool: &Pool) -> Result<Option<Turn>, StoreError> {
    locks::try_turn(pool, "take the turn to settle", locks::SETTLING).await
}
