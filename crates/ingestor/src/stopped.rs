//! A lane that stands still: told once in the log, and to operators by its reason.

use metadata_store::{LaneId, Pool, StoreError, lanes};
use tracing::{error, info};

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
