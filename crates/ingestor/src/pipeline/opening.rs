//! The transaction that closes one batch and opens the next, and what may stand in its way.

use super::{Open, Pipeline, Written};
use crate::{
    judge::{Judged, StoredVerdicts},
    persist::persist,
    recover::RecoverError,
    write::Life,
};
use chrono::{DateTime, SubsecRound, Utc};
use metadata_store::{LaneId, batches::Opening};
use std::time::Duration;
use tracing::{error, info, warn};

/// Between two looks whether a migration is over.
const MIGRATION_PAUSE: Duration = Duration::from_millis(250);
/// Between two looks whether the clock is right.
const CLOCK_PAUSE: Duration = Duration::from_secs(5);

impl Pipeline {
    /// Closes `before` and opens the judged batch, without the lanes that were lost meanwhile.
    pub(super) async fn open(
        &mut self,
        mut judged: Judged,
        mut before: Option<Written>,
    ) -> Result<Option<Open>, RecoverError> {
        let mut life = self.life(&mut before).await?;
        let mut close = before.as_ref().map(|before| before.judged.id);
        let mut is_held_up = false;
        loop {
            // a lane that is held is not given up, nor taken over again, before the batch is over
            let refused = self.board.hold(&judged.ranges);
            if !refused.is_empty() {
                judged = self.without(judged, &refused).await?;
                continue;
            }
            let intent = (!judged.raw.is_empty()).then(|| judged.intent(&self.owner));
            let recovery = &self.recovery;
            let advance = || recovery.advance(close, intent.as_ref());
            let opening = persist(&recovery.shutdown, "open a batch", advance).await?;
            if let (Some(_), Some(before)) = (close.take(), &before) {
                self.announce_closed(before);
            }
            if opening != Opening::Opened {
                self.board.free(&judged.ranges);
            }
            match opening {
                Opening::Opened => {
                    return Ok(intent.is_some().then(|| self.start(judged, life)));
                }
                Opening::LanesLost(lanes) => {
                    self.board.lose(&lanes);
                    judged = self.without(judged, &lanes).await?;
                }
                Opening::Stale(not_before) => {
                    let decided_at = not_before.max(self.recovery.clock.now().trunc_subsecs(3));
                    judged = self.anew(judged, decided_at).await?;
                }
                Opening::Ahead(ahead) => {
                    error!(reason = %ahead, "no batch is opened before the clock is right");
                    self.pause(CLOCK_PAUSE).await?;
                    life = self.life(&mut None).await?;
                    let decided_at = self.recovery.clock.now().trunc_subsecs(3);
                    judged = self.anew(judged, decided_at).await?;
                }
                Opening::Migrating => {
                    if !std::mem::replace(&mut is_held_up, true) {
                        info!("a migration is under way; no batch is opened before it is over");
                    }
                    self.pause(MIGRATION_PAUSE).await?;
                    life = self.life(&mut None).await?;
                }
            }
        }
    }

    /// Waits a moment for what others do.
    async fn pause(&self, pause: Duration) -> Result<(), RecoverError> {
        let shutdown = &self.recovery.shutdown;
        let waited = shutdown.run_until_cancelled(tokio::time::sleep(pause));
        waited.await.ok_or(RecoverError::ShuttingDown)
    }

    /// The life of ClickHouse in which the next batch will be written. Where it does not tell, it may be down for
    /// long, and what it has written until then need not stay open.
    async fn life(&self, before: &mut Option<Written>) -> Result<Life, RecoverError> {
        if let Ok(life) = self.recovery.writer.life().await {
            return Ok(life);
        }
        if let Some(written) = before.take() {
            self.close(&written).await?;
        }
        let recovery = &self.recovery;
        persist(&recovery.shutdown, "ask ClickHouse for its life", || {
            recovery.writer.life()
        })
        .await
    }

    /// The batch without some lanes. The verdicts on the others stand: identities do not cross lanes.
    async fn without(
        &mut self,
        mut judged: Judged,
        lost: &[LaneId],
    ) -> Result<Judged, RecoverError> {
        warn!(batch.id = %judged.id, lanes = lost.len(), "lanes were lost before their batch was opened");
        lost.iter().for_each(|lane| self.identities.forget(lane));
        judged.raw.lanes.retain(|lane| !lost.contains(&lane.lane));
        let rules = self.config.judge.rules(judged.decided_at);
        let verdicts = StoredVerdicts::new(&judged.ranges);
        self.judge_by(judged.id, judged.raw, rules, verdicts)
            .await
            .map(|(judged, _)| judged)
    }

    /// Judges the batch at another time. What was too early then may be accepted now, and a repetition of it may not:
    /// identities are looked up afresh.
    async fn anew(
        &mut self,
        judged: Judged,
        decided_at: DateTime<Utc>,
    ) -> Result<Judged, RecoverError> {
        let lanes = judged.raw.lanes.iter().map(|lane| &lane.lane);
        lanes.for_each(|lane| self.identities.forget(lane));
        self.load_windows(&judged.raw).await?;
        self.judge_at(judged.id, judged.raw, decided_at).await
    }
}
