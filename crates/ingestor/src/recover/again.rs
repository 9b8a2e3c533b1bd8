//! A batch that another process judged, or this one no longer as a whole, from the log and the stored verdicts.

use super::{RecoverError, Recovery, gone};
use crate::{
    judge::{CODEC, Encoder, Judged, Rules, StoredLimits, StoredVerdicts, judge_aside},
    reread::Reread,
    share::Share,
    write::WriteError,
};
use metadata_store::{
    LaneId, StoreError,
    batches::{self, Batch, Range},
};
use tracing::{Span, error};
use uuid::Uuid;

/// Refuses a batch whose rows this version would make otherwise.
pub(super) fn check_codec(batch: &Batch) -> Result<(), RecoverError> {
    match batch.codec {
        CODEC => Ok(()),
        codec => Err(RecoverError::OtherCodec {
            batch: batch.id,
            codec,
        }),
    }
}

impl Recovery {
    /// A share of the batch as its member judged it, without what no longer reads as stored.
    pub(super) async fn judge_again(
        &self,
        batch: &Batch,
        attempt: i32,
        mut share: Share,
    ) -> Result<Judged, RecoverError> {
        let rules = rules(batch)?;
        let ranges = batch.ranges.iter();
        let ranges = ranges.filter(|range| !range.parked && share.has(&range.lane, range.omission));
        let ranges: Vec<Range> = ranges.cloned().collect();
        let verdicts = StoredVerdicts::new(&ranges);
        let reread = self.read_again(ranges).await?;
        if !reread.changed.is_empty() {
            share.lacks(self.park(batch.id, attempt, &reread.changed).await?);
        }
        reread.raw.link(&Span::current());
        let judging = judge_aside(batch.id, reread.raw, rules, verdicts, Encoder::default());
        let (judged, ..) = judging.await?;
        Ok(Judged {
            share,
            ..judged.map_err(WriteError::from)?
        })
    }

    /// Ranges, as the log has them now.
    pub(crate) async fn read_again(&self, ranges: Vec<Range>) -> Result<Reread, RecoverError> {
        let (kafka, sources) = (self.kafka.clone(), self.sources.clone());
        let reading =
            tokio::task::spawn_blocking(move || gone::read_again(&kafka, &sources, &ranges));
        Ok(reading.await??)
    }

    /// Ranges of a batch can no longer be read: their lanes stand still until an operator decides, the others go on.
    /// Answers which omission of the batch it is.
    async fn park(
        &self,
        batch: Uuid,
        attempt: i32,
        changed: &[(LaneId, String)],
    ) -> Result<i32, RecoverError> {
        let omission = batches::park(&self.pool, batch, attempt, changed).await?;
        let omission = omission.ok_or(RecoverError::LostRace(batch))?;
        for (lane, reason) in changed {
            error!(batch.id = %batch, lane = %lane, reason, "a range of an open batch no longer reads as stored; its lane stops");
        }
        Ok(omission)
    }
}

fn rules(batch: &Batch) -> Result<Rules, StoreError> {
    let limits: StoredLimits =
        serde_json::from_value(batch.age_limits.clone()).map_err(|error| {
            StoreError::Unreadable {
                what: "age limits",
                detail: error.to_string(),
            }
        })?;
    Ok(Rules {
        decided_at: batch.decided_at,
        limits: limits.into(),
        dedup_window: batch.dedup_window,
    })
}
