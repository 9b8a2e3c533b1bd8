//! What PostgreSQL has forgotten of a lane whose partition is gone. No member takes it over any more, and so none puts it
//! back.

use super::{
    bounds::Bounds,
    stored,
    taken::{owner, with_lane},
};
use crate::{recover::Recovery, rewound};
use anyhow::ensure;
use metadata_store::{batches, lanes, lanes::Lane};

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
    let (pool, id) = (&recovery.pool, &lane.id());
    // what stands still is not looked at
    lanes::resume(pool, id, lane.next_offset).await?;
    with_lane(recovery, &owner(), id, async |taken| {
        let caught_up = catch_up(recovery, &taken).await;
        if let (Err(_), Some(reason)) = (&caught_up, &lane.stopped_reason) {
            lanes::stop(pool, id, taken.epoch, reason).await?;
        }
        caught_up
    })
    .await
}

async fn catch_up(recovery: &Recovery, taken: &Lane) -> anyhow::Result<()> {
    let id = taken.id();
    ensure!(
        taken.open_batch.is_none(),
        "a batch has come to hold {id}: say it again"
    );
    rewound::catch_up(recovery, std::slice::from_ref(taken)).await?;
    Ok(())
}
