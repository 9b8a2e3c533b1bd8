//! What the board tells: to the comparison with PostgreSQL, to health and meters, to whoever asks what is complete.

use super::{Board, standing::Standing};
use chrono::{DateTime, Utc};
use metadata_store::{LaneId, lanes::Progress};
use std::time::Duration;

/// What is compared with PostgreSQL, to see whether both know the same of a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The lane.
    pub lane: LaneId,
    /// The epoch under which it is ours.
    pub epoch: i64,
    /// Everything before it is durable.
    pub durable: i64,
    /// Whether it stands still.
    pub stopped: bool,
    /// Whether a batch on it was refused or forgotten.
    pub lost: bool,
}

impl Board {
    /// All lanes of this member.
    pub fn lanes(&self) -> Vec<LaneId> {
        self.lock().keys().cloned().collect()
    }

    /// Whether there is a lane that PostgreSQL does not know as we do.
    pub fn has_lost(&self) -> bool {
        self.lock().values().any(|standing| standing.lost)
    }

    /// Every lane as this member knows it.
    pub fn seen(&self) -> Vec<Seen> {
        let seen = |(lane, standing): (&LaneId, &Standing)| Seen {
            lane: lane.clone(),
            epoch: standing.epoch,
            durable: standing.durable,
            stopped: standing.stopped,
            lost: standing.lost,
        };
        self.lock().iter().map(seen).collect()
    }

    /// How many lanes stand still and should not.
    pub fn stopped(&self) -> usize {
        self.lock()
            .values()
            .filter(|standing| standing.stopped && !standing.retired)
            .count()
    }

    /// For how long the oldest batch of this member is at it, from when it was cut. It may not even be open yet. What was
    /// parked of a batch waits for an operator.
    pub fn waits_for(&self) -> Duration {
        let lanes = self.lock();
        let going = lanes.values().filter(|standing| !standing.stopped);
        let cut = going.flat_map(|standing| &standing.cut);
        cut.map(|cut| cut.since)
            .min()
            .map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Kafka's end of the lane when last asked.
    pub fn end(&self, lane: &LaneId) -> Option<i64> {
        self.lock().get(lane).and_then(|standing| standing.end)
    }

    /// Offsets between what is durable and Kafka's end, per lane.
    pub fn lag(&self) -> Vec<(LaneId, i64)> {
        let lanes = self.lock();
        let lag = |standing: &Standing| {
            standing
                .end
                .map_or(0, |end| (end - standing.durable).max(0))
        };
        lanes
            .iter()
            .map(|(lane, standing)| (lane.clone(), lag(standing)))
            .collect()
    }

    /// Works out how far every lane is complete, after Kafka was asked for its ends at `asked_at`.
    pub fn progress(&self, ends: &[(LaneId, i64)], asked_at: DateTime<Utc>) -> Vec<Progress> {
        let mut lanes = self.lock();
        for (lane, end) in ends {
            if let Some(standing) = lanes.get_mut(lane) {
                standing.end = Some(*end);
                standing.advance(*end, asked_at.timestamp_millis());
            }
        }
        let progress = lanes.iter().map(|(lane, standing)| Progress {
            lane: lane.clone(),
            epoch: standing.epoch,
            end_offset: standing.end,
            complete_through: standing
                .complete_through
                .and_then(DateTime::from_timestamp_millis),
        });
        progress.collect()
    }
}
