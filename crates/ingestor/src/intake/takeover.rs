//! Taking lanes over: raise their epochs, finish the batches that hold them, put back what PostgreSQL has forgotten,
//! find out where they stand. A batch that cannot be finished holds up its own lanes alone.

use super::group::{Change, Group};
use crate::{
    kafka,
    recover::{Finished, RecoverError, Recovery},
    rewound, stopped,
};
use futures::{StreamExt, stream::FuturesUnordered};
use metadata_store::{LaneId, Pool, StoreError, lanes, lanes::Lane, rebuilt};
use rdkafka::consumer::{BaseConsumer, Consumer};
use service_runtime::telemetry::chain;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::runtime::Handle;
use tracing::{info, warn};
use uuid::Uuid;

const PAUSE: Duration = Duration::from_millis(500);

/// Runs take-overs beside the thread of the consumer, which goes on polling.
pub(crate) struct TakeOver {
    /// How open batches are finished.
    pub(crate) recovery: Recovery,
    /// The name of this member.
    pub(crate) owner: String,
    /// Where its waiting runs.
    pub(crate) runtime: Handle,
    /// Which take-over each lane waits for.
    wanted: Wanted,
}

/// The lanes that are being taken over.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted(Arc<Mutex<HashMap<LaneId, Want>>>);

/// What a lane waits for.
#[derive(Debug)]
struct Want {
    /// The number of the take-over.
    number: u64,
    since: Instant,
}

impl Wanted {
    fn lock(&self) -> MutexGuard<'_, HashMap<LaneId, Want>> {
        // nothing panics while it holds the lock
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lane that waits already waits on, for this take-over.
    fn add(&self, ids: &[LaneId], number: u64) {
        let mut wanted = self.lock();
        for lane in ids {
            let since = wanted
                .get(lane)
                .map_or_else(Instant::now, |want| want.since);
            wanted.insert(lane.clone(), Want { number, since });
        }
    }

    /// For how long the first of them waits.
    pub(crate) fn waits_for(&self) -> Duration {
        let since = self.lock().values().map(|want| want.since).min();
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Those of the lanes that still wait for this take-over.
    fn still(&self, mut ids: Vec<LaneId>, number: u64) -> Vec<LaneId> {
        let wanted = self.lock();
        ids.retain(|lane| wanted.get(lane).is_some_and(|want| want.number == number));
        ids
    }
}

impl TakeOver {
    /// Take-overs by the member of this name.
    pub(crate) fn new(recovery: Recovery, owner: String, runtime: Handle, wanted: Wanted) -> Self {
        Self {
            recovery,
            owner,
            runtime,
            wanted,
        }
    }

    /// Starts to take lanes over. It is tried until it is done, or nobody wants them any more, or the process ends.
    pub(super) fn start(
        &self,
        consumer: Arc<BaseConsumer<Group>>,
        number: u64,
        ids: &[LaneId],
    ) -> tokio::task::JoinHandle<()> {
        self.wanted.add(ids, number);
        let run = Run {
            consumer,
            recovery: self.recovery.clone(),
            owner: self.owner.clone(),
            wanted: self.wanted.clone(),
            number,
        };
        self.runtime.spawn(run.until_done(ids.to_vec()))
    }

    /// These lanes need not be taken over any more.
    pub(super) fn give_up(&self, ids: &[LaneId]) {
        self.wanted.lock().retain(|lane, _| !ids.contains(lane));
    }

    /// Whether the lane waited for this take-over. It waits no longer.
    pub(super) fn accept(&self, lane: &LaneId, number: u64) -> bool {
        let mut wanted = self.wanted.lock();
        let is_wanted = wanted.get(lane).is_some_and(|want| want.number == number);
        if is_wanted {
            wanted.remove(lane);
        }
        is_wanted
    }

    /// Whether a take-over of the lane is under way.
    pub(super) fn is_under_way(&self, lane: &LaneId) -> bool {
        self.wanted.lock().contains_key(lane)
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
}

/// One take-over.
struct Run {
    consumer: Arc<BaseConsumer<Group>>,
    recovery: Recovery,
    owner: String,
    wanted: Wanted,
    number: u64,
}

/// Lanes that are held by the same batch, or by none. Each part is handed over when it is ready.
struct Part {
    held_by: Option<Uuid>,
    lanes: Vec<Lane>,
}

impl Part {
    fn ids(&self) -> Vec<LaneId> {
        self.lanes.iter().map(Lane::id).collect()
    }
}

impl Run {
    async fn until_done(self, ids: Vec<LaneId>) {
        let all = async {
            let parts = self.parts(ids).await.into_iter();
            let mut running: FuturesUnordered<_> = parts.map(|part| self.hand_over(part)).collect();
            while let Some(anew) = running.next().await {
                running.extend(anew.into_iter().map(|part| self.hand_over(part)));
            }
        };
        tokio::select! {
            () = all => {}
            () = self.recovery.shutdown.cancelled() => {}
        }
    }

    /// Makes the lanes ours, as soon as it can. None, if nobody wants them any more.
    async fn parts(&self, mut ids: Vec<LaneId>) -> Vec<Part> {
        loop {
            ids = self.wanted.still(ids, self.number);
            if ids.is_empty() {
                return Vec::new();
            }
            match self.own(&ids).await {
                Ok(parts) => return parts,
                Err(reason) => warn!(reason, "lanes cannot be taken over yet"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Hands the lanes of a part over. If that fails, batches may hold them otherwise by now: returns them in new parts.
    async fn hand_over(&self, part: Part) -> Vec<Part> {
        match self.ready(&part).await {
            Ok(lanes) => {
                let change = Change::TakenOver(self.number, lanes);
                self.consumer.context().push(change);
                Vec::new()
            }
            Err(reason) => {
                warn!(reason, "lanes cannot be taken over yet");
                tokio::time::sleep(PAUSE).await;
                self.parts(part.ids()).await
            }
        }
    }

    async fn ready(&self, part: &Part) -> Result<Vec<Lane>, String> {
        let lanes = self.standing(part).await.map_err(|error| chain(&error))?;
        // asked again: an earlier owner may have read further before its epoch was over
        let bounds = self.bounds(&part.ids()).await?;
        let mut checked = Vec::new();
        for lane in lanes {
            checked.push(self.checked(lane, &bounds).await);
        }
        Ok(checked)
    }

    /// First and next offset of each partition in Kafka.
    async fn bounds(&self, ids: &[LaneId]) -> Result<Vec<(LaneId, i64, i64)>, String> {
        let (consumer, ids) = (self.consumer.clone(), ids.to_vec());
        let shutdown = self.recovery.shutdown.clone();
        let asking = tokio::task::spawn_blocking(move || {
            let bounds = ids.into_iter().map(|lane| {
                if shutdown.is_cancelled() {
                    return Err("the process is shutting down".to_owned());
                }
                let (low, high) = kafka::bounds(&consumer, &lane).map_err(|error| {
                    format!("Kafka does not tell the bounds of {lane}: {error}")
                })?;
                Ok((lane, low, high))
            });
            bounds.collect()
        });
        asking.await.map_err(|error| error.to_string())?
    }

    /// Raises the epochs of the lanes.
    async fn own(&self, ids: &[LaneId]) -> Result<Vec<Part>, String> {
        let bounds = self.bounds(ids).await?;
        let earliest: Vec<_> = bounds
            .into_iter()
            .map(|(lane, low, _)| (lane, low))
            .collect();
        let pool = &self.recovery.pool;
        let owning = async {
            lanes::ensure(pool, &earliest).await?;
            lanes::take_over(pool, &self.owner, ids).await
        };
        let owned = owning.await.map_err(|error| chain(&error))?;
        let mut parts: BTreeMap<Option<Uuid>, Vec<Lane>> = BTreeMap::new();
        for lane in owned {
            parts.entry(lane.open_batch).or_default().push(lane);
        }
        let parts = parts.into_iter();
        Ok(parts
            .map(|(held_by, lanes)| Part { held_by, lanes })
            .collect())
    }

    /// Where the lanes stand once no batch holds them, and nothing is known beyond them.
    async fn standing(&self, Part { held_by, lanes }: &Part) -> Result<Vec<Lane>, RecoverError> {
        if let Some(batch) = *held_by {
            info!(batch.id = %batch, "an open batch holds a lane that was taken over");
            if self.recovery.finish(batch, None).await? == Finished::Forgotten {
                rebuilt::free_lanes_of_nothing(&self.recovery.pool, batch).await?;
            }
        }
        let standing = rewound::catch_up(&self.recovery, lanes).await?;
        Ok(standing
            .into_iter()
            .filter_map(|lane| under_our_epoch(lane, lanes))
            .collect())
    }

    /// A lane that stands outside its log is stopped: records are lost, or the topic is another one.
    async fn checked(&self, mut lane: Lane, bounds: &[(LaneId, i64, i64)]) -> Lane {
        let id = lane.id();
        let found = bounds.iter().find(|(bounded, ..)| *bounded == id);
        let reason = found.and_then(|&(_, low, high)| outside(lane.next_offset, low, high));
        if let (None, Some(reason)) = (&lane.stopped_reason, reason) {
            let pool = &self.recovery.pool;
            if let Err(failure) = stopped::stop(pool, &id, lane.epoch, &reason).await {
                warn!(reason = chain(&failure), "PostgreSQL was not told");
            }
            lane.stopped_reason = Some(reason);
        }
        lane
    }
}

/// The lane as it stands now, under the epoch that we gave it. If somebody has raised it meanwhile, no batch will open
/// on it, and the next comparison with PostgreSQL tells.
fn under_our_epoch(stored: Lane, owned: &[Lane]) -> Option<Lane> {
    let ours = owned.iter().find(|ours| ours.id() == stored.id())?;
    Some(Lane {
        epoch: ours.epoch,
        ..stored
    })
}

/// Why a lane cannot stand at `next` in a log between `low` and `high`.
pub(super) fn outside(next: i64, low: i64, high: i64) -> Option<String> {
    if low > next {
        Some(stopped::lost(next, low))
    } else if high < next {
        Some(stopped::made_anew(next, high))
    } else {
        None
    }
}
