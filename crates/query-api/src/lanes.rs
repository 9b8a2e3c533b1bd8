//! The lanes in PostgreSQL: how far arrivals are durable, whether anybody reads them, and what their topics carry.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use analytics::realtime::Signs;
use chrono::{DateTime, Utc};
use metadata_store::{
    Pool, StoreError,
    lanes::{self, Lane, Standing},
    settlings, topics,
};
use shared_schema::Domain;
use tokio::time::timeout;
use tracing::warn;

/// Reads the lanes and remembers what it read last.
#[derive(Clone)]
pub(crate) struct Lanes {
    pool: Pool,
    deadline: Duration,
    last: Arc<Mutex<Option<Signs>>>,
}

/// Why the lanes could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LanesError {
    /// PostgreSQL did not answer in time.
    #[error("the lanes were not read within {0:?}")]
    TimedOut(Duration),
    /// PostgreSQL failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lanes {
    pub(crate) fn new(pool: Pool, deadline: Duration) -> Self {
        Self {
            pool,
            deadline,
            last: Arc::default(),
        }
    }

    /// All lanes as they are now.
    pub(crate) async fn all(&self) -> Result<Vec<Lane>, LanesError> {
        self.in_time(lanes::all(&self.pool)).await
    }

    /// Where all lanes stand now, and how far it is known what was decided about.
    pub(crate) async fn standings(&self) -> Result<Vec<Standing>, LanesError> {
        self.in_time(lanes::standings(&self.pool)).await
    }

    /// What each topic carries.
    pub(crate) async fn carried(&self) -> Result<BTreeMap<String, BTreeSet<Domain>>, LanesError> {
        self.in_time(topics::carried(&self.pool)).await
    }

    /// When the earliest settling was decided that is not finished, if there is one.
    pub(crate) async fn settling_since(&self) -> Result<Option<DateTime<Utc>>, LanesError> {
        self.in_time(settlings::unfinished_since(&self.pool)).await
    }

    async fn in_time<T>(
        &self,
        asked: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, LanesError> {
        let answer = timeout(self.deadline, asked).await;
        Ok(answer.map_err(|_| LanesError::TimedOut(self.deadline))??)
    }

    /// What the lanes tell. To be read before the numbers that it is shown with: what was durable then is in them.
    ///
    /// While PostgreSQL is away it is what was read last. That stays true: what is complete remains complete.
    pub(crate) async fn signs(&self) -> Result<Signs, LanesError> {
        match self.all().await {
            Ok(lanes) => {
                let signs = signs_of(&lanes);
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(signs.clone());
                Ok(signs)
            }
            Err(error) => {
                let last = self
                    .last
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone();
                let last = last.ok_or(error)?;
                warn!("the lanes cannot be read; the last complete_through stands");
                Ok(last)
            }
        }
    }

    /// Whether PostgreSQL answers.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        self.pool.ping().await
    }
}

fn signs_of(lanes: &[Lane]) -> Signs {
    let living = || lanes.iter().filter(|lane| !lane.is_retired());
    let those = |are: fn(&&Lane) -> bool| -> Vec<String> {
        living()
            .filter(are)
            .map(|lane| lane.id().to_string())
            .collect()
    };
    Signs {
        complete_through: lanes::complete_through(lanes),
        known_through: living().filter_map(|lane| lane.complete_through).min(),
        unknown: those(|lane| lane.complete_through.is_none()),
        heard_at: lanes.iter().filter_map(|lane| lane.heartbeat_at).max(),
        stopped: those(|lane| lane.stopped_reason.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use metadata_store::LaneId;

    use super::*;

    fn lane(partition: i32, complete_through: Option<i64>) -> Lane {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap_or_default();
        let topic = "openride.events.trip".to_owned();
        Lane {
            complete_through: complete_through.map(at),
            heartbeat_at: complete_through.map(at),
            stopped_reason: (partition == 1).then(|| "parked".to_owned()),
            ..Lane::new(LaneId { topic, partition }, 0)
        }
    }

    #[test]
    fn the_slowest_lane_decides() {
        let signs = signs_of(&[lane(0, Some(20)), lane(1, Some(10))]);
        assert_eq!(
            signs.complete_through,
            DateTime::<Utc>::from_timestamp(10, 0)
        );
        assert_eq!(signs.heard_at, DateTime::<Utc>::from_timestamp(20, 0));
        assert_eq!(signs.stopped, ["openride.events.trip/1"]);
    }

    #[test]
    fn nothing_waits_for_a_retired_lane() {
        let retired = Lane {
            retired_at: Some(DateTime::<Utc>::UNIX_EPOCH),
            ..lane(1, None)
        };
        let signs = signs_of(&[lane(0, Some(20)), retired]);
        assert_eq!(
            signs.complete_through,
            DateTime::<Utc>::from_timestamp(20, 0)
        );
        assert!(signs.stopped.is_empty());
    }

    #[test]
    fn a_lane_of_which_nothing_is_known_makes_nothing_complete() {
        let signs = signs_of(&[lane(0, Some(20)), lane(2, None)]);
        assert_eq!(
            (signs.complete_through, signs.known_through),
            (None, DateTime::<Utc>::from_timestamp(20, 0))
        );
        assert_eq!(signs.unknown, ["openride.events.trip/2"]);
        assert_eq!(signs_of(&[]).complete_through, None);
    }
}
