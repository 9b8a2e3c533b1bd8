//! Declaring offsets of a lane that stands still lost.

use super::declaration::{Declaration, Then};
use crate::{config::Config, recover::Recovery};
use anyhow::ensure;
use metadata_store::LaneId;
use std::sync::Arc;

/// Declares a stopped lane's offsets from its next one to `through` lost.
pub(super) async fn run(
    config: &Config,
    lane: &LaneId,
    through: i64,
    yes: bool,
) -> anyhow::Result<()> {
    let recovery = Recovery::connect(config, &Arc::default())?;
    let declaration = Declaration::new(config, &recovery, lane, Then::GoOn)?;
    let stored = declaration.stands().await?;
    let is_declared = declaration.is_made(&stored, through).await?;
    let reason = stored.stopped_reason.unwrap_or_default();
    println!("{lane} stands still at {}: {reason}", stored.next_offset);
    if (stored.open_batch.is_none() || !yes) && !is_declared {
        // what is refused anyhow need not disturb the lane's owner
        let plan = declaration.plan(stored.next_offset, through).await?;
        if !yes {
            print!("{plan}");
        }
    }
    ensure!(yes, "nothing was changed: to do it, add --yes");
    declaration.make(through).await
}
