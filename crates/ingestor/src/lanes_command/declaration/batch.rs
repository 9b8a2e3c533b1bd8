//! The batch of a declaration.

use super::Declaration;
use crate::{
    batch::{LaneRecords, RawBatch},
    judge::{Encoder, Judged, StoredVerdicts, judge},
    lanes_command::{finish::finish, plan::Plan},
    origins::Origins,
    recover::RecoverError,
};
use anyhow::bail;
use chrono::{DateTime, SubsecRound, Utc};
use event_store::Buffer;
use metadata_store::batches::Opening;
use service_runtime::telemetry::chain;
use uuid::Uuid;

impl Declaration<'_> {
    /// Opens, writes and closes the batch that has the gap, unless the lane is not ours any more.
    pub(super) async fn write(&self, plan: &Plan, epoch: i64) -> anyhow::Result<Option<Uuid>> {
        let recovery = self.recovery;
        let id = Uuid::now_v7();
        let life = recovery.writer.life().await?;
        let mut decided_at = recovery.clock.now().trunc_subsecs(3);
        let (judged, intent) = loop {
            let judged = self.judged(id, plan, epoch, decided_at)?;
            let intent = judged.intent(&self.owner);
            match recovery.advance(None, Some(&intent)).await? {
                Opening::Opened => break (judged, intent),
                Opening::Stale(not_before) => decided_at = not_before,
                Opening::LanesLost(_) => return Ok(None),
                Opening::Ahead(ahead) => bail!("nothing was declared: {ahead}"),
                Opening::Migrating => bail!(
                    "a migration is under way, and nothing was declared: say it again when it is over"
                ),
            }
        };
        let written = async {
            recovery.correct_ledger(&intent).await?;
            Ok::<_, RecoverError>(recovery.writer.write(&judged, life).await?)
        };
        match written.await {
            Ok(()) => recovery.close(id).await?,
            Err(failure) => {
                println!("not written at once: {}", chain(&failure));
                finish(recovery, id, Some(&judged)).await?;
            }
        }
        Ok(Some(id))
    }

    fn judged(
        &self,
        id: Uuid,
        plan: &Plan,
        epoch: i64,
        decided_at: DateTime<Utc>,
    ) -> anyhow::Result<Judged> {
        let records = LaneRecords {
            lane: self.lane.clone(),
            epoch,
            source: self.source.clone(),
            lo: plan.next,
            hi: plan.through,
            records: Vec::new(),
            gaps: plan.gaps(),
            arena: Buffer::default(),
            origins: Origins::default(),
        };
        let rules = self.config.judge.rules(decided_at);
        let raw = RawBatch {
            lanes: vec![records],
        };
        Ok(judge(
            id,
            raw,
            rules,
            &mut StoredVerdicts::default(),
            &mut Encoder::default(),
        )?)
    }
}
