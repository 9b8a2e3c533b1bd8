//! Whose turn it is.

use crate::{
    Pool, StoreError,
    locks::{self, SessionLock},
};

/// The right to settle. It ends when it is dropped, or with the process.
pub struct Turn(#[expect(dead_code, reason = "it is held, not used")] SessionLock);

/// Takes the turn, unless another process has it.
pub async fn take_turn(pool: &Pool) -> Result<Option<Turn>, StoreError> {
    let lock = locks::try_lock(pool, "take the turn to settle", locks::SETTLING).await?;
    Ok(lock.map(Turn))
}
