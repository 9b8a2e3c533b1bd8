//! A lane that stands still: told once in the log, and to operators by its reason.

use crate::write::presence::TOLD_FOR;
use metadata_store::{LaneId, Pool, StoreError, lanes};
use tracing::{error, info};
use uuid::Uuid;

/// The reason with the commands that decide about the lane.
pub(crate) fn reason(what_is_wrong: &str) -> String {
    format!("{what_is_wrong}; decide with `ingestor lanes resume` or `ingestor lanes declare-lost`")
}

/// The reason of a lane that an operator has retired.
pub(crate) const RETIRED: &str =
    "retired: nothing waits for it and nobody reads it; `ingestor lanes resume` takes it back";

/// The reason of a lane whose partition Kafka does not have any more: it has no owner who could take it up again, and no
/// log by which anything could be declared lost.
pub(crate) const GONE: &str =
    "Kafka does not have the partition any more; if that is meant to be, `ingestor lanes retire`";

/// The reason of a lane that stands at `next` before the beginning of its log, at `low`.
pub(crate) fn lost(next: i64, low: i64) -> String {
    reason(&format!(
        "lost: the log begins at {low}, offsets from {next} on were deleted before they were read"
    ))
}

/// The reason of a lane that stands at `next` in a log that ends before, at `high`. Its offsets name records of the old
/// log for ever, so the new one's need other names.
pub(crate) fn made_anew(next: i64, high: i64) -> String {
    format!(
        "the log ends at {high}, before the next offset {next}: the topic was made anew; let its records come by a topic \
         of another name, and retire this one with `ingestor lanes retire --force`"
    )
}

/// The reason of a lane that PostgreSQL has set back before offsets that cannot be put back any more: what is there of them
/// would look missing, and be written twice. Later ones can be, once the lane stands behind these. `then` is what to say.
pub(crate) fn too_far_back(next: i64, last: i64, then: &str) -> String {
    format!(
        "PostgreSQL has gone back too far: offsets from {next} to {last} were written more than {} days ago, and ClickHouse \
         cannot tell any more what is there of them; restore a newer state of PostgreSQL, or set the lane's next_offset in \
         ingest_lane to {} and say {then}",
        TOLD_FOR.num_days(),
        last + 1
    )
}

/// The reason of a lane whose range is parked, and was begun to be written so long ago that nobody repairs it.
pub(crate) fn untold(batch: Uuid, lo: i64, hi: i64) -> String {
    format!(
        "batch {batch} was decided more than {} days ago, and ClickHouse cannot tell any more what is there of its offsets \
         from {lo} to {hi}; say `ingestor lanes declare-lost` with `--through {hi}`: what is there stays, and what has no \
         verdict is shown as lost",
        TOLD_FOR.num_days()
    )
}

/// The reason of a lane whose range is parked, and was not begun to be written.
pub(crate) fn unwritten(batch: Uuid, lo: i64, hi: i64) -> String {
    format!(
        "batch {batch} was ended, and nothing of its offsets from {lo} to {hi} was written; `ingestor lanes resume` has them \
         read again"
    )
}

/// Stops a lane that is ours under this epoch, with an alarm. One that has another owner by now goes on.
pub(crate) async fn stop(
    pool: &Pool,
    lane: &LaneId,
    epoch: i64,
    reason: &str,
) -> Result<(), StoreError> {
    let stopped = lanes::stop(pool, lane, epoch, reason).await;
    match stopped {
        Ok(false) => {
            info!(lane = %lane, reason, "a lane is not stopped, for another member has it")
        }
        Ok(true) | Err(_) => {
            error!(lane = %lane, reason, "a lane stops until an operator decides");
        }
    }
    stopped.map(drop)
}
