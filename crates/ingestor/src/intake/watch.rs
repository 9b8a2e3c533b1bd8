//! Comparing the lanes as this member knows them with what PostgreSQL says: it may have gone back, an operator may
//! have let a lane go on, another member may have taken it.

use super::group::{Change, Group};
use crate::board::Seen;
use chrono::{DateTime, TimeDelta, Utc};
use metadata_store::{Pool, StoreError, lanes, lanes::Lane};
use rdkafka::consumer::{BaseConsumer, Consumer};
use service_runtime::telemetry::chain;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;
use tracing::{debug, warn};

const INTERVAL: Duration = Duration::from_secs(2);
/// The same where a batch was refused.
const SOON: Duration = Duration::from_millis(200);
/// An owner that has not reported for so long owns nothing.
const LIVES: TimeDelta = TimeDelta::seconds(60);

/// Looks now and then.
#[derive(Debug, Default)]
pub(super) struct Watch {
    looked: Option<Instant>,
    looking: Option<JoinHandle<()>>,
}

impl Watch {
    /// Looks, if it is time to. What is out of step comes as a change.
    pub(super) fn look(&mut self, consumer: &Arc<BaseConsumer<Group>>) {
        let group = consumer.context().clone();
        let interval = if group.board.has_lost() {
            SOON
        } else {
            INTERVAL
        };
        let is_due = self.looked.is_none_or(|at| at.elapsed() >= interval);
        if !is_due || self.looking.as_ref().is_some_and(|it| !it.is_finished()) {
            return;
        }
        self.looked = Some(Instant::now());
        let runtime = group.takeover.runtime.clone();
        self.looking = Some(runtime.spawn(async move { compare(&group).await }));
    }
}

async fn compare(group: &Group) {
    // first what we know, which is never ahead of PostgreSQL at that moment
    let seen = group.board.seen();
    if seen.is_empty() {
        return;
    }
    let recovery = &group.takeover.recovery;
    match out_of_step(
        &recovery.pool,
        &seen,
        &group.takeover.owner,
        recovery.clock.now(),
    )
    .await
    {
        Ok(lanes) if lanes.is_empty() => {}
        Ok(lanes) => {
            warn!(
                lanes = lanes.len(),
                "PostgreSQL does not know lanes as this member does"
            );
            let lanes = lanes.into_iter().map(|seen| (seen.lane, seen.epoch));
            group.push(Change::OutOfStep(lanes.collect()));
        }
        Err(failure) => debug!(
            reason = chain(&failure),
            "the lanes cannot be compared with PostgreSQL"
        ),
    }
}

async fn out_of_step(
    pool: &Pool,
    seen: &[Seen],
    owner: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Seen>, StoreError> {
    let stored = lanes::all(pool).await?;
    let is_out = |seen: &&Seen| {
        let lane = stored.iter().find(|lane| lane.id() == seen.lane);
        // PostgreSQL may have gone back to before the lane was made
        lane.is_none_or(|lane| is_out_of_step(seen, lane, owner, now))
    };
    Ok(seen.iter().filter(is_out).cloned().collect())
}

/// Whether the lane must be taken over again. Not where another member has taken it and lives: the group will tell.
fn is_out_of_step(seen: &Seen, stored: &Lane, owner: &str, now: DateTime<Utc>) -> bool {
    let is_anothers = stored.owner.as_deref().is_some_and(|other| other != owner);
    let lives = stored.heartbeat_at.is_some_and(|at| now - at < LIVES);
    if stored.epoch > seen.epoch && is_anothers && lives {
        return false;
    }
    seen.lost
        || stored.epoch != seen.epoch
        || stored.next_offset < seen.durable
        || stored.stopped_reason.is_some() != seen.stopped
}

#[cfg(test)]
mod tests {
    use super::*;
    use metadata_store::LaneId;

    fn id() -> LaneId {
        LaneId {
            topic: "t".to_owned(),
            partition: 0,
        }
    }

    fn seen() -> Seen {
        Seen {
            lane: id(),
            epoch: 7,
            durable: 50,
            stopped: false,
            lost: false,
        }
    }

    fn stored() -> Lane {
        Lane {
            next_offset: 50,
            epoch: 7,
            owner: Some("me".to_owned()),
            heartbeat_at: Some(DateTime::UNIX_EPOCH),
            ..Lane::new(id(), 0)
        }
    }

    fn is_out(seen: Seen, stored: Lane) -> bool {
        is_out_of_step(
            &seen,
            &stored,
            "me",
            DateTime::UNIX_EPOCH + TimeDelta::seconds(1),
        )
    }

    #[test]
    fn a_lane_as_both_know_it_is_left_alone() {
        assert!(!is_out(seen(), stored()));
        let further = Lane {
            next_offset: 60,
            ..stored()
        };
        assert!(!is_out(seen(), further));
    }

    #[test]
    fn a_lane_that_went_back_was_resumed_or_refused_is_taken_over_again() {
        let back = Lane {
            next_offset: 49,
            ..stored()
        };
        assert!(is_out(seen(), back));
        let stopped = Seen {
            stopped: true,
            ..seen()
        };
        assert!(is_out(stopped, stored()));
        let lost = Seen {
            lost: true,
            ..seen()
        };
        assert!(is_out(lost, stored()));
    }

    #[test]
    fn a_lane_that_another_member_owns_is_left_to_it_while_it_lives() {
        let anothers = Lane {
            epoch: 8,
            owner: Some("other".to_owned()),
            ..stored()
        };
        let lost = Seen {
            lost: true,
            ..seen()
        };
        assert!(!is_out(lost.clone(), anothers.clone()));
        let dead = Lane {
            heartbeat_at: None,
            ..anothers.clone()
        };
        assert!(is_out(lost.clone(), dead));
        let released = Lane {
            owner: None,
            ..anothers
        };
        assert!(is_out(lost, released));
    }
}
