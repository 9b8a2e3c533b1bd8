//! What PostgreSQL has forgotten of a lane whose partition is gone. No member takes it over any more, and so none puts it
//! back.

use super::{
    bounds::Bounds,
    taken::{owner, with_lane},
};
use crate::{recover::Recovery, rewound};
use anyhow::ensure;
use metadata_store::{lanes, lanes::Lane};

/// What the ledger tells of a lane from its next offset on, and PostgreSQL does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Forgotten {
    /// The first offset.
    pub(super) first: i64,
    /// The last offset.
    pub(super) last: i64,
    /// The last one that cannot be put back any more.
    pub(super) last_old: Option<i64>,
}

pub(super) async fn look(recovery: &Recovery, lane: &Lane) -> anyhow::Result<Option<Forgotten>> {
    let bounds = Bounds::look(recovery, &lane.id(), lane.next_offset, 0).await?;
    let last = bounds.forgotten().map(|written| written.last).max();
    let first = bounds.forgotten().map(|written| written.first).min();
    Ok(first.zip(last).map(|(first, last)| Forgotten {
        first,
        last,
        last_old: bounds.last_old,
    }))
}

/// Stores a number of the batches again and finishes them. The ranges of the lane itself can be read no more, and are parked
/// then.
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
