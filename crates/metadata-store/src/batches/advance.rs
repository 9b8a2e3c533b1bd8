//! Closing a batch and opening the next, in one transaction.

use super::{Batch, Opening, close::close_in, open::open_in};
use crate::{Pool, StoreError, error::TxError};
use chrono::{DateTime, Utc};
use diesel_async::AsyncConnection;
use uuid::Uuid;

/// Closes one batch and opens the next, in one transaction. The closing is kept even when the opening is
/// refused. Whoever did not hear the answer asks again with the very same batch.
///
/// A batch is closed when it is done and every lane of it has moved behind its range, all or nothing; closing one that
/// is closed already changes nothing.
pub async fn advance(
    pool: &Pool,
    now: DateTime<Utc>,
    close: Option<Uuid>,
    open: Option<&Batch>,
) -> Result<Opening, StoreError> {
    let operation = "close and open batches";
    let mut connection = pool.get(operation).await?;
    connection
        .transaction(async |tx| {
            if let Some(id) = close {
                close_in(tx, now, id).await?;
            }
            match open {
                Some(batch) => open_in(tx, now, batch).await,
                None => Ok(Opening::Opened),
            }
        })
        .await
        .map_err(|error: TxError| error.during(operation))
}
