//! A batch that another process judged, or this one no longer as a whole, from the log and the stored verdicts.

use super::{RecoverError, Recovery, gone};
use crate::{
    judge::{CODEC, Encoder, Judged, Rules, StoredLimits, StoredVerdicts, judge_aside},
    reread::Reread,
    write::{Share, WriteError, omissions},
};
use metadata_store::{
    LaneId, StoreError,
    batches::{self, Batch, Range},
    lanes,
};
use tracing::error;
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
        mut share: Share,
    ) -> Result<Judged, RecoverError> {
        let rules = rules(batch)?;
        let ranges = batch.ranges.iter();
        let ranges = ranges.filter(|range| !range.parked && share.has(&range.lane, range.omission));
        let ranges: Vec<Range> = ranges.cloned().collect();
        let verdicts = StoredVerdicts::new(&ranges);
        let reread = self.read_again(ranges).await?;
        if !reread.changed.is_empty() {
            let omission = omissions(batch) + 1;
            for (lane, reason) in &reread.changed {
                self.park(batch.id, lane, omission, reason).await?;
            }
            share.lacks(omission);
        }
        let judging = judge_aside(batch.id, reread.raw, rules, verdicts, Encoder::default());
        let (judged, ..) = judging.await?;
        Ok(Judged {
            share,
            ..judged.map_err(WriteError::from)?
        })
    }

    async fn read_again(&self, ranges: Vec<Range>) -> Result<Reread, RecoverError> {
        let (kafka, sources) = (self.kafka.clone(), self.sources.clone());
        let reading =
            tokio::task::spawn_blocking(move || gone::read_again(&kafka, &sources, &ranges));
        Ok(reading.await??)
    }

    /// One range of a batch can no longer be read: its lane stands still until an operator decides, the others go on.
    async fn park(
        &self,
        batch: Uuid,
        lane: &LaneId,
        omission: i32,
        reason: &str,
    ) -> Result<(), StoreError> {
        error!(batch.id = %batch, lane = %lane, reason, "a range of an open batch no longer reads as stored; its lane stops");
        batches::park(&self.pool, batch, lane, omission).await?;
        lanes::stop(&self.pool, lane, reason).await
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
