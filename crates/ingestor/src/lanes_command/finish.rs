//! Finishing a batch at an operator's word.

use crate::{
    dead_letters::Delivered,
    judge::Judged,
    recover::{Finished, Own, Recovery},
};
use anyhow::{anyhow, bail};
use metadata_store::batches;
use std::time::Duration;
use uuid::Uuid;

/// How long a batch may take to be finished.
const PATIENCE: Duration = Duration::from_secs(60);

/// Finishes a batch: one that holds a lane about which is decided, or `own`, which was made for that.
///
/// # Errors
/// When it cannot be finished soon or at all, or PostgreSQL has forgotten it.
pub(super) async fn finish(
    recovery: &Recovery,
    batch: Uuid,
    own: Option<&Judged>,
) -> anyhow::Result<()> {
    if let Ok(stored) = batches::load(&recovery.pool, batch).await
        && !stored.done
    {
        recovery.check_age(&stored.batch).await?;
    }
    let own = own.map(|judged| Own {
        judged,
        delivered: Delivered::default(),
    });
    let finishing = tokio::time::timeout(PATIENCE, recovery.finish(batch, own));
    let late = || {
        anyhow!(
            "batch {batch} cannot be finished within {} s: see the log, and say it again when it is done",
            PATIENCE.as_secs()
        )
    };
    match finishing.await.map_err(|_| late())?? {
        Finished::Written { .. } => Ok(()),
        Finished::Forgotten => bail!("PostgreSQL has forgotten batch {batch}: say it again"),
    }
}
