//! The intake's lanes: how they come, are read, stop, are taken over again, and go.

use super::{Intake, group::Change};
use crate::{kafka::partitions, stopped};
use metadata_store::{LaneId, lanes, lanes::Lane};
use rdkafka::{
    TopicPartitionList, consumer::Consumer, error::KafkaResult, topic_partition_list::Offset,
};
use std::{sync::Arc, time::Duration};
use tracing::{info, warn};

/// How long Kafka's client may take to find a lane's place.
const SEEK: Duration = Duration::from_secs(5);

impl Intake {
    pub(super) fn follow_changes(&mut self) {
        for change in self.consumer.context().changes() {
            match change {
                Change::Assigned(ids) => self.take_over(&ids),
                Change::Revoked(ids) => {
                    for lane in ids {
                        self.gather.remove(&lane);
                        self.leaving.remove(&lane);
                    }
                }
                Change::TakenOver(number, lanes) => {
                    for lane in lanes {
                        self.read(number, lane);
                    }
                }
                Change::OutOfStep(lanes) => {
                    for (lane, epoch) in lanes {
                        // it may have been given up, or taken over again, since it was compared
                        if self.board.epoch(&lane) == Some(epoch) {
                            self.leaving.insert(lane);
                        }
                    }
                }
            }
        }
        self.take_over_again();
        self.watch.look(&self.consumer);
    }

    fn take_over(&mut self, ids: &[LaneId]) {
        if ids.is_empty() {
            return;
        }
        self.number += 1;
        let group = self.consumer.context().clone();
        let running = group
            .takeover
            .start(self.consumer.clone(), self.number, ids);
        // a task of the set only watches over the other, so that both end with the intake
        self.take_overs
            .spawn_on(async move { drop(running.await) }, &group.takeover.runtime);
        while self.take_overs.try_join_next().is_some() {}
    }

    /// Lanes that PostgreSQL does not know as we do are given up and taken over anew, each once no batch holds it: what
    /// a batch of ours writes must not come after the look for what is there.
    fn take_over_again(&mut self) {
        let board = self.board.clone();
        let free = |lane: &LaneId| board.leave_if_free(lane);
        let again: Vec<LaneId> = self
            .leaving
            .iter()
            .filter(|lane| free(lane))
            .cloned()
            .collect();
        for lane in &again {
            info!(lane = %lane, "taking a lane over again");
            self.leaving.remove(lane);
            self.gather.remove(lane);
        }
        if let Err(error) = self.pause(&again) {
            // what comes of them is ignored
            warn!(%error, "lanes cannot be paused");
        }
        self.take_over(&again);
    }

    /// Reads a lane that was taken over, from its next offset on.
    fn read(&mut self, number: u64, lane: Lane) {
        let id = lane.id();
        let group = self.consumer.context().clone();
        if !group.takeover.accept(&id, number) {
            if self.board.epoch(&id).is_none() && !group.takeover.is_under_way(&id) {
                let ids = [id];
                group
                    .takeover
                    .block_on(async |pool, owner| lanes::release(pool, owner, &ids).await);
            }
            return;
        }
        let Some(source) = self.sources.by_topic(&lane.topic) else {
            return;
        };
        let stopped = lane.stopped_reason.is_some();
        if !stopped && let Err(error) = self.seek(&id, lane.next_offset) {
            warn!(lane = %id, %error, "a lane cannot be read yet; it is taken over again");
            self.take_over(&[id]);
            return;
        }
        self.board
            .assign(id.clone(), lane.epoch, lane.next_offset, stopped);
        if lane.is_retired() {
            warn!(lane = %id, "Kafka has a lane that was retired; it is not read before `ingestor lanes resume`");
            self.board.retire(&id);
        }
        let waiting = id.clone();
        self.gather.add(
            id,
            lane.epoch,
            lane.next_offset,
            stopped,
            Arc::new(source.clone()),
        );
        // a lane that comes while its topic is paused must wait as well
        if self.paused.contains(&waiting.topic)
            && let Err(error) = self.pause(&[waiting])
        {
            warn!(%error, "a lane cannot be paused");
        }
    }

    fn seek(&self, lane: &LaneId, next: i64) -> KafkaResult<()> {
        if let Err(error) = self.place(lane, next) {
            info!(lane = %lane, %error, "a lane is assigned anew");
            self.assign_anew(lane, next)?;
        }
        self.resume(std::slice::from_ref(lane))
    }

    /// The client gives a partition up that was gone when it looked for its end, and takes no place for it any more.
    fn assign_anew(&self, lane: &LaneId, next: i64) -> KafkaResult<()> {
        let list = partitions([(lane, Offset::Offset(next))])?;
        self.consumer.incremental_unassign(&list)?;
        self.consumer.incremental_assign(&list)
    }

    /// The next record that comes of the lane is that at `offset`.
    pub(super) fn place(&self, lane: &LaneId, offset: i64) -> KafkaResult<()> {
        let target = Offset::Offset(offset);
        self.consumer
            .seek(&lane.topic, lane.partition, target, SEEK)
    }

    pub(super) fn pause(&self, lanes: &[LaneId]) -> KafkaResult<()> {
        switched(lanes, |list| self.consumer.pause(list))
    }

    pub(super) fn resume(&self, lanes: &[LaneId]) -> KafkaResult<()> {
        switched(lanes, |list| self.consumer.resume(list))
    }

    pub(super) fn stop(&mut self, lane: &LaneId, reason: &str) {
        let epoch = self.board.epoch(lane);
        self.gather.stop(lane);
        self.board.stop(lane);
        // one that is given back just now is looked at by whoever takes it over
        if let Some(epoch) = epoch {
            let group = self.consumer.context();
            group
                .takeover
                .block_on(async |pool, _| stopped::stop(pool, lane, epoch, reason).await);
        }
    }

    /// Waits for the take-overs, which end with the process: none may raise an epoch afterwards.
    pub(super) fn end_take_overs(&mut self) {
        let runtime = self.consumer.context().takeover.runtime.clone();
        let mut take_overs = std::mem::take(&mut self.take_overs);
        runtime.block_on(async { while take_overs.join_next().await.is_some() {} });
    }
}

fn switched(
    lanes: &[LaneId],
    switch: impl FnOnce(&TopicPartitionList) -> KafkaResult<()>,
) -> KafkaResult<()> {
    if lanes.is_empty() {
        return Ok(());
    }
    let list = partitions(lanes.iter().map(|lane| (lane, Offset::Invalid)))?;
    switch(&list)
}
