//! Taking lanes over: raise their epochs, finish the batches that hold them, find out where they stand.

use super::group::Group;
use crate::recover::{Recovery, chain};
use metadata_store::{LaneId, Pool, StoreError, lanes, lanes::Lane};
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::{collections::BTreeSet, time::Duration};
use tokio::runtime::Handle;
use tracing::{error, info, warn};

const PAUSE: Duration = Duration::from_millis(500);
const KAFKA_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs take-overs on the thread of the consumer, which does not poll meanwhile.
pub struct TakeOver {
    /// How open batches are finished.
    pub recovery: Recovery,
    /// The name of this member.
    pub owner: String,
    /// Where its waiting runs.
    pub runtime: Handle,
}

impl TakeOver {
    /// Takes the lanes over and returns them where they stand. Tries until it is done or the process ends; then the
    /// list is empty, and the lanes are not read.
    pub(super) fn run(&self, consumer: &BaseConsumer<Group>, ids: &[LaneId]) -> Vec<Lane> {
        if ids.is_empty() {
            return Vec::new();
        }
        while !self.recovery.shutdown.is_cancelled() {
            match self.try_once(consumer, ids) {
                Ok(lanes) => return lanes,
                Err(reason) => warn!(reason, "lanes cannot be taken over yet"),
            }
            self.runtime.block_on(async {
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = self.recovery.shutdown.cancelled() => {}
                }
            });
        }
        Vec::new()
    }

    /// Does something in PostgreSQL that may fail without harm.
    pub(super) fn block_on(&self, work: impl AsyncFnOnce(&Pool, &str) -> Result<(), StoreError>) {
        // the last callback comes where the consumer is dropped, which may be a thread of the runtime
        let told = tokio::task::block_in_place(|| {
            self.runtime
                .block_on(work(&self.recovery.pool, &self.owner))
        });
        if let Err(failure) = told {
            warn!(reason = chain(&failure), "PostgreSQL was not told");
        }
    }

    fn try_once(
        &self,
        consumer: &BaseConsumer<Group>,
        ids: &[LaneId],
    ) -> Result<Vec<Lane>, String> {
        let bounds = self.bounds(consumer, ids)?;
        let earliest: Vec<_> = bounds
            .iter()
            .map(|(lane, low, _)| (lane.clone(), *low))
            .collect();
        let lanes = self
            .runtime
            .block_on(self.own(&earliest, ids))
            .map_err(|error| chain(&error))?;
        Ok(lanes
            .into_iter()
            .map(|lane| self.checked(lane, &bounds))
            .collect())
    }

    /// First and next offset of each partition in Kafka.
    fn bounds(
        &self,
        consumer: &BaseConsumer<Group>,
        ids: &[LaneId],
    ) -> Result<Vec<(LaneId, i64, i64)>, String> {
        let bounds = ids.iter().map(|lane| {
            let (low, high) = consumer
                .fetch_watermarks(&lane.topic, lane.partition, KAFKA_TIMEOUT)
                .map_err(|error| format!("Kafka does not tell the bounds of {lane}: {error}"))?;
            Ok((lane.clone(), low, high))
        });
        bounds.collect()
    }

    async fn own(
        &self,
        earliest: &[(LaneId, i64)],
        ids: &[LaneId],
    ) -> Result<Vec<Lane>, crate::recover::RecoverError> {
        let pool = &self.recovery.pool;
        lanes::ensure(pool, earliest).await?;
        let mut owned = lanes::take_over(pool, &self.owner, ids).await?;
        let open: BTreeSet<_> = owned.iter().filter_map(|lane| lane.open_batch).collect();
        for batch in &open {
            info!(batch.id = %batch, "an open batch holds a lane that was taken over");
            self.recovery.finish(*batch, None).await?;
        }
        if !open.is_empty() {
            owned = lanes::all(pool).await?;
            owned.retain(|lane| ids.contains(&lane.id()));
        }
        Ok(owned)
    }

    /// A lane that stands outside its log is stopped: records are lost, or the topic is another one.
    fn checked(&self, mut lane: Lane, bounds: &[(LaneId, i64, i64)]) -> Lane {
        let id = lane.id();
        let found = bounds.iter().find(|(bounded, ..)| *bounded == id);
        let reason = found.and_then(|&(_, low, high)| outside(lane.next_offset, low, high));
        if let (None, Some(reason)) = (&lane.stopped_reason, reason) {
            error!(lane = %id, reason, "a lane stops until an operator decides");
            self.block_on(async |pool, _| lanes::set_stopped(pool, &id, Some(&reason)).await);
            lane.stopped_reason = Some(reason);
        }
        lane
    }
}

/// Why a lane cannot stand at `next` in a log between `low` and `high`.
pub(super) fn outside(next: i64, low: i64, high: i64) -> Option<String> {
    if low > next {
        Some(format!(
            "lost: the log begins at {low}, offsets from {next} on were deleted before they were read"
        ))
    } else if high < next {
        Some(format!(
            "the log ends at {high}, before the next offset {next}: the topic was made anew"
        ))
    } else {
        None
    }
}
