//! The turn to settle, which a recovery may have to have.

use super::Recovery;
use chrono::{DateTime, Utc};
use metadata_store::{StoreError, rebuilt, settlings};
use std::time::Duration;

/// Between two tries to get the turn to settle.
const TURN: Duration = Duration::from_millis(100);
/// How long a recovery waits for whoever settles, where nothing says that it must.
const TURN_PATIENCE: Duration = Duration::from_secs(5);

impl Recovery {
    /// Facts of an open batch are settled only after it is closed, so its buckets lie behind the horizon of settling.
    /// Where they do not, PostgreSQL had forgotten the batch when the horizon was raised, and they may be settled by
    /// now: then nobody may settle while they are looked for. Of a batch that this process did not judge just now not
    /// even the horizon tells, which may have gone back together with it; but a member that sleeps while it has the
    /// turn may hold no recovery up for long.
    pub(super) async fn turn_to_settle(
        &self,
        is_own: bool,
        decided_at: DateTime<Utc>,
    ) -> Result<Option<settlings::Turn>, StoreError> {
        let asked = tokio::time::Instant::now();
        loop {
            let must = rebuilt::may_be_settled(&self.pool, decided_at).await?;
            if !must && (is_own || asked.elapsed() > TURN_PATIENCE) {
                return Ok(None);
            }
            if let Some(turn) = settlings::take_turn(&self.pool).await? {
                return Ok(Some(turn));
            }
            tokio::time::sleep(TURN).await;
        }
    }
}
