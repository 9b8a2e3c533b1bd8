//! What PostgreSQL has forgotten of a lane whose partition is gone. No member takes it over any more, and so none puts it
//! back.

use super::{bounds::Bounds, stored};
use crate::{chain::chain, recover::Recovery, rewound};
use anyhow::ensure;
use metadata_store::{batches, lanes, lanes::Lane};
use tracing::warn;
use uuid::Uuid;

/// The last offset from the lane's next one on that the ledger tells of, and PostgreSQL does not.
pub(super) async fn last(recovery: &Recovery, lane: &Lane) -> anyhow::Result<Option<i64>> {
    let (id, next) = (lane.id(), lane.next_offset);
    let bounds = Bounds {
        parked: batches::parked(&recovery.pool, &id, next).await?,
        written: stored::written(recovery.writer.store(), &id, next).await?,
        ..Bounds::default()
    };
    let written = bounds.written.iter();
    let forgotten = written.filter(|written| !bounds.is_parked(written));
    Ok(forgotten.map(|written| written.last).max())
}

/// Stores the batches again and finishes them. The ranges of the lane itself can be read no more, and are parked then.
pub(super) async fn put_back(recovery: &Recovery, lane: &Lane) -> anyhow::Result<()> {
    let (pool, ids) = (&recovery.pool, &[lane.id()]);
    let owner = format!("lanes-command-{}", Uuid::now_v7().simple());
    let [id] = ids;
    // what stands still is not looked at
    lanes::resume(pool, id, lane.next_offset).await?;
    let taken = lanes::take_over(pool, &owner, ids).await?;
    let is_held = taken.iter().any(|lane| lane.open_batch.is_some());
    ensure!(!is_held, "a batch has come to hold {id}: say it again");
    let caught_up = rewound::catch_up(recovery, &taken).await;
    if let Err(failure) = lanes::release(pool, &owner, ids).await {
        warn!(
            reason = chain(&failure),
            "PostgreSQL was not told that the lane is free"
        );
    }
    Ok(caught_up.map(drop)?)
}
