//! The oldest open batch: how old it is, and an alarm once it is too old. Rows leave ClickHouse some time after they are
//! written, and what has left looks missing to a recovery; so a batch may not stay open for long.

use crate::ticks;
use chrono::{DateTime, TimeDelta, Utc};
use metadata_store::{Pool, batches};
use service_runtime::{clock::Clock, telemetry::chain};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tracing::{debug, error};
use uuid::Uuid;

const INTERVAL: Duration = Duration::from_secs(5);
/// Half of the time for which rows outlive the age at which events are still accepted.
const TOO_OLD: TimeDelta = TimeDelta::days(7);
/// Between two alarms.
const REPEATED: TimeDelta = TimeDelta::hours(1);

/// What is known of the oldest open batch.
#[derive(Debug, Default)]
pub(crate) struct OldestOpen(Mutex<Option<DateTime<Utc>>>);

impl OldestOpen {
    /// Its age in whole seconds; 0 where none is open.
    pub(crate) fn age_seconds(&self, now: DateTime<Utc>) -> u64 {
        let opened_at = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let age = opened_at.map_or(0, |opened_at| (now - opened_at).num_seconds());
        u64::try_from(age).unwrap_or_default()
    }

    fn set(&self, opened_at: Option<DateTime<Utc>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = opened_at;
    }
}

/// Says now and then that a batch is open for too long.
#[derive(Debug, Default)]
struct Alarm {
    said_at: Option<DateTime<Utc>>,
}

impl Alarm {
    /// Whether it must be said now.
    fn is_due(&mut self, now: DateTime<Utc>, opened_at: DateTime<Utc>) -> bool {
        let said = self.said_at.is_some_and(|at| now - at < REPEATED);
        let due = now - opened_at > TOO_OLD && !said;
        if due {
            self.said_at = Some(now);
        }
        due
    }
}

/// Looks for the oldest open batch until it is dropped.
pub(crate) async fn watch(pool: Pool, clock: Arc<dyn Clock>, oldest: Arc<OldestOpen>) {
    let mut ticks = ticks::every(INTERVAL);
    let mut alarm = Alarm::default();
    loop {
        ticks.tick().await;
        match batches::open(&pool).await {
            Ok(open) => {
                let first = open.first().map(|&(id, opened_at, _)| (id, opened_at));
                oldest.set(first.map(|(_, opened_at)| opened_at));
                if let Some((id, opened_at)) = first
                    && alarm.is_due(clock.now(), opened_at)
                {
                    cry(id, opened_at, clock.now());
                }
            }
            Err(failure) => debug!(
                reason = chain(&failure),
                "the open batches cannot be read; the oldest known stands"
            ),
        }
    }
}

fn cry(batch: Uuid, opened_at: DateTime<Utc>, now: DateTime<Utc>) {
    let days = (now - opened_at).num_days();
    error!(
        batch.id = %batch, batch.opened_at = %opened_at, batch.days_open = days,
        "a batch has been open for more than a week: it must be finished before rows of it expire in ClickHouse"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use service_runtime::clock::ManualClock;

    #[test]
    fn a_batch_open_for_more_than_a_week_is_told_of_once_an_hour() {
        let opened_at = DateTime::UNIX_EPOCH;
        let clock = ManualClock::at(opened_at);
        let mut alarm = Alarm::default();
        clock.advance(TimeDelta::days(7));
        assert!(!alarm.is_due(clock.now(), opened_at));
        clock.advance(TimeDelta::seconds(1));
        assert!(alarm.is_due(clock.now(), opened_at));
        clock.advance(TimeDelta::minutes(59));
        assert!(!alarm.is_due(clock.now(), opened_at));
        clock.advance(TimeDelta::minutes(1));
        assert!(alarm.is_due(clock.now(), opened_at));
    }

    #[test]
    fn the_age_grows_with_the_clock_and_is_none_without_a_batch() {
        let clock = ManualClock::at(DateTime::UNIX_EPOCH);
        let oldest = OldestOpen::default();
        assert_eq!(oldest.age_seconds(clock.now()), 0);
        oldest.set(Some(clock.now()));
        clock.advance(TimeDelta::seconds(90));
        assert_eq!(oldest.age_seconds(clock.now()), 90);
        clock.advance(TimeDelta::minutes(-5));
        assert_eq!(oldest.age_seconds(clock.now()), 0);
    }
}
