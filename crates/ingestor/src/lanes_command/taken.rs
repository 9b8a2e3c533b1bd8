//! A lane in the hands of a command. A member that owns it loses it by its epoch, and takes it over again once it is
//! released.

use crate::recover::Recovery;
use anyhow::Context;
use metadata_store::{LaneId, lanes, lanes::Lane};
use service_runtime::telemetry::chain;
use tracing::warn;
use uuid::Uuid;

/// A command as an owner of lanes.
pub(super) fn owner() -> String {
    format!("lanes-command-{}", Uuid::now_v7().simple())
}

/// Takes a lane over for some work, and releases it whatever comes of that.
pub(super) async fn with_lane<T>(
    recovery: &Recovery,
    owner: &str,
    lane: &LaneId,
    work: impl AsyncFnOnce(Lane) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let lanes = std::slice::from_ref(lane);
    let taken = lanes::take_over(&recovery.pool, owner, lanes).await?;
    let taken = taken.into_iter().next().context("the lane is gone")?;
    let done = work(taken).await;
    if let Err(failure) = lanes::release(&recovery.pool, owner, lanes).await {
        // after a minute without a report, the member that has the partition takes the lane over all the same
        warn!(
            reason = chain(&failure),
            "PostgreSQL was not told that the lane is free"
        );
    }
    done
}
