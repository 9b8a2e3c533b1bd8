//! The end of a batch all of which is in ClickHouse.

use super::Recovery;
use metadata_store::{StoreError, batches, rebuilt};
use tracing::error;
use uuid::Uuid;

impl Recovery {
    /// Closes a batch and opens another, see [`batches::advance`].
    ///
    /// # Errors
    /// When PostgreSQL does not do it.
    pub async fn advance(
        &self,
        close: Option<Uuid>,
        open: Option<&batches::Batch>,
    ) -> Result<batches::Opening, StoreError> {
        match batches::advance(&self.pool, self.clock.now(), close, open).await {
            Err(StoreError::LaneMoved { batch, .. }) => {
                self.close_where_lanes_stand(batch).await?;
                batches::advance(&self.pool, self.clock.now(), None, open).await
            }
            advanced => advanced,
        }
    }

    /// Closes a batch all of which is in ClickHouse.
    ///
    /// # Errors
    /// When PostgreSQL does not do it.
    pub async fn close(&self, batch: Uuid) -> Result<(), StoreError> {
        self.advance(Some(batch), None).await.map(drop)
    }

    /// The rows are there, and no lane's place in PostgreSQL can change that: what is wrong is the place. A lane that
    /// stands before the batch is brought to it by its next take-over, one behind it has had it.
    async fn close_where_lanes_stand(&self, batch: Uuid) -> Result<(), StoreError> {
        let elsewhere = rebuilt::close(&self.pool, self.clock.now(), batch).await?;
        for (lane, next) in elsewhere {
            error!(batch.id = %batch, lane = %lane, lane.next_offset = next, "a batch was closed whose lane stands elsewhere: PostgreSQL has gone back, or was changed by hand");
        }
        Ok(())
    }
}
