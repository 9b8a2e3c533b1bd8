//! Offsets without a record are proved by reading again what lies around them.

use super::Pipeline;
use crate::{
    batch::{LaneRecords, RawBatch},
    persist::persist,
    recover::RecoverError,
};
use metadata_store::batches::{Range, Verdicts};
use tracing::warn;

impl Pipeline {
    /// The batch without the ranges in whose gaps the log has records after all. Their lanes are taken over again: the
    /// client that passed a record by would have made a gap of it.
    ///
    /// A producer's transactions leave gaps everywhere, so a range is read again as a whole, while the batch before is
    /// on the wire, and compared as a recovery compares it.
    pub(super) async fn proved(&mut self, mut raw: RawBatch) -> Result<RawBatch, RecoverError> {
        let doubtful = doubtful(&raw);
        if doubtful.is_empty() {
            return Ok(raw);
        }
        let recovery = &self.recovery;
        let look = || recovery.read_again(doubtful.clone());
        let reread = persist(&recovery.shutdown, "look into gaps", look).await?;
        let refuted: Vec<_> = reread.changed.into_iter().map(|(lane, _)| lane).collect();
        for lane in &refuted {
            warn!(lane = %lane, "a range does not read alike twice; its lane is taken over again");
        }
        raw.lanes.retain(|range| !refuted.contains(&range.lane));
        self.lose(refuted.iter());
        Ok(raw)
    }
}

/// Ranges with gaps. One without a record was looked into when its gap was seen.
fn doubtful(raw: &RawBatch) -> Vec<Range> {
    let lanes = raw.lanes.iter();
    let lanes = lanes.filter(|lane| !lane.gaps.is_empty() && !lane.records.is_empty());
    let range = |lane: &LaneRecords| {
        lane.range(Verdicts {
            gaps: lane.gaps.clone(),
            ..Verdicts::default()
        })
    };
    lanes.map(range).collect()
}
