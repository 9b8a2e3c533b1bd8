//! A lane that stands still: told once in the log, and to operators by its reason.

use metadata_store::LaneId;
use tracing::error;

/// The reason with the commands that decide about the lane.
pub(crate) fn reason(what_is_wrong: &str) -> String {
    format!("{what_is_wrong}; decide with `ingestor lanes resume` or `ingestor lanes declare-lost`")
}

/// The reason of a lane that an operator has retired.
pub(crate) const RETIRED: &str =
    "retired: nothing waits for it and nobody reads it; `ingestor lanes resume` takes it back";

/// Raises the alarm that a lane stops, and returns the reason to store.
pub(crate) fn alarm(lane: &LaneId, what_is_wrong: &str) -> String {
    let reason = reason(what_is_wrong);
    error!(lane = %lane, reason, "a lane stops until an operator decides");
    reason
}
