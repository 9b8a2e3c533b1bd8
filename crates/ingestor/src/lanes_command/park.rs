//! The end of a batch that was open for too long to be repaired: all its ranges are parked, as those are that no longer
//! read as stored, and each lane goes on from there.
//!
//! ```text
//! end every attempt ─▶ look which ranges the ledger tells of ─▶ park ─▶ close
//! ```
//!
//! It may be said again if it dies on the way.

use super::stored;
use crate::{config::Config, recover::Recovery, stopped, write::presence::TOLD_FOR};
use anyhow::{Context, ensure};
use metadata_store::{
    LaneId,
    batches::{self, Batch, Range, Stored},
};
use std::sync::Arc;
use uuid::Uuid;

/// Parks the ranges of a batch, and closes it.
pub(super) async fn run(config: &Config, id: Uuid, yes: bool) -> anyhow::Result<()> {
    let recovery = Recovery::connect(config, &Arc::default())?;
    let stored = batches::load(&recovery.pool, id).await?;
    check(&recovery, &stored).await?;
    let decided_at = stored.batch.decided_at;
    println!(
        "batch {id}, decided {decided_at}, is ended without writing anything, and these partitions stand still then:"
    );
    if !yes {
        say(&reasons(&recovery, &stored.batch).await?);
    }
    ensure!(yes, "nothing was changed: to do it, add --yes");
    let attempt = recovery.begin(&stored).await;
    let attempt = attempt.with_context(|| format!("batch {id} is not parked: say it again"))?;
    let reasons = reasons(&recovery, &stored.batch).await?;
    let parked = batches::park(&recovery.pool, id, attempt.number, &reasons).await?;
    parked.with_context(|| format!("somebody else parks batch {id}: say it again"))?;
    recovery.close(id).await?;
    say(&reasons);
    println!(
        "done. What the aggregates have of it is not known: `openride-verify` recomputes them and names where they differ."
    );
    Ok(())
}

async fn check(recovery: &Recovery, stored: &Stored) -> anyhow::Result<()> {
    let Batch { id, decided_at, .. } = stored.batch;
    ensure!(!stored.done, "batch {id} is closed already");
    ensure!(
        decided_at < recovery.told_since().await?,
        "batch {id} was decided {decided_at}, and until {} it can be told what is there of it: members finish it, and their \
         log says why they have not",
        decided_at + TOLD_FOR
    );
    Ok(())
}

/// Why each lane of the batch stands still then. One whose range is parked already does for its own reason.
async fn reasons(recovery: &Recovery, batch: &Batch) -> anyhow::Result<Vec<(LaneId, String)>> {
    let mut reasons = Vec::new();
    for range in batch.ranges.iter().filter(|range| !range.parked) {
        let reason = match is_told(recovery, batch.id, range).await? {
            true => stopped::untold(batch.id, range.lo, range.hi),
            false => stopped::unwritten(batch.id, range.lo, range.hi),
        };
        reasons.push((range.lane.clone(), reason));
    }
    Ok(reasons)
}

/// Whether the ledger, which is the first that is written of a batch, has the range.
async fn is_told(recovery: &Recovery, batch: Uuid, range: &Range) -> anyhow::Result<bool> {
    let (store, since) = (recovery.writer.store(), recovery.told_since().await?);
    let written = stored::written(store, &range.lane, range.lo, since).await?;
    Ok(written.iter().any(|written| written.batch == batch))
}

fn say(reasons: &[(LaneId, String)]) {
    for (lane, reason) in reasons {
        println!("  {lane}: {reason}");
    }
}
