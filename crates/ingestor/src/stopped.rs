//! Why a lane stands still, as an operator reads it.

/// The reason with the commands that decide about the lane.
pub(crate) fn reason(what_is_wrong: &str) -> String {
    format!("{what_is_wrong}; decide with `ingestor lanes resume` or `ingestor lanes declare-lost`")
}
