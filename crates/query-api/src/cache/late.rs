//! Which hours batches added events to of late, so that an answer about them is not shown any more.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use metadata_store::{
    Pool,
    batches::{self, Lately},
};
use shared_schema::Domain;
use tokio::time::timeout;
use tracing::debug;

/// How old what is known may be. While PostgreSQL answers, a late event shows after this time at the latest.
const EVERY: Duration = Duration::from_secs(2);

/// How long PostgreSQL is waited for.
const DEADLINE: Duration = Duration::from_millis(500);

/// A closing shows so much later than it is dated, at the most: longer than an ingestor waits for PostgreSQL with any
/// setting that makes sense (`postgres.statement_timeout` and five seconds).
const UNSEEN: Duration = Duration::from_secs(30);

/// Events that an answer is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Watched {
    pub(super) domains: &'static [Domain],
    /// Since 1970.
    pub(super) hours: RangeInclusive<i64>,
}

pub(super) struct Late {
    pool: Pool,
    /// For how long answers are kept at the most.
    longest: Duration,
    known: Mutex<Arc<Known>>,
    /// Held by the one who asks PostgreSQL.
    asking: tokio::sync::Mutex<()>,
}

/// What is known of the batches that were stored lately.
#[derive(Clone, Debug, Default)]
struct Known {
    /// When PostgreSQL was last asked, whether it answered or not.
    tried: Option<Instant>,
    /// When it last answered, and what its clock said then.
    answered: Option<(Instant, DateTime<Utc>)>,
    /// When an hour was last added to.
    hours: BTreeMap<(Domain, i64), DateTime<Utc>>,
    /// When a batch was last stored of which nothing is known.
    anything: Option<DateTime<Utc>>,
}

impl Late {
    pub(super) fn new(pool: Pool, longest: Duration) -> Self {
        Self {
            pool,
            longest,
            known: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// A time of PostgreSQL's clock that is not later than now. None while it has not been heard of lately.
    pub(super) async fn now(&self) -> Option<DateTime<Utc>> {
        let known = self.current().await;
        let (heard, now) = known.answered?;
        (heard.elapsed() < 2 * EVERY).then_some(now)
    }

    /// Whether a batch that was stored after `asked_at` added to what is watched. While PostgreSQL is away, as far as it is
    /// known.
    pub(super) async fn has_touched(
        &self,
        watched: &Watched,
        asked_at: Option<DateTime<Utc>>,
    ) -> bool {
        // what was asked for at an unknown time is kept for a moment only
        let Some(asked_at) = asked_at else {
            return false;
        };
        self.current().await.has_touched(watched, asked_at)
    }

    async fn current(&self) -> Arc<Known> {
        let known = self.known();
        if known.is_recent() {
            return known;
        }
        let _asking = self.asking.lock().await;
        let known = self.known();
        if known.is_recent() {
            return known;
        }
        let known = Arc::new(self.asked(&known).await);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&known);
        known
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn asked(&self, before: &Known) -> Known {
        let began = Instant::now();
        let most = self.longest + UNSEEN;
        let reach = before
            .answered
            .map_or(most, |(heard, _)| most.min(heard.elapsed() + UNSEEN));
        let lately = timeout(DEADLINE, batches::touched(&self.pool, reach)).await;
        let mut known = before.clone();
        known.tried = Some(Instant::now());
        match lately {
            Ok(Ok(lately)) => {
                let before = known.answered.map(|(_, before)| before);
                if let Some(before) = before.filter(|before| lately.now < *before) {
                    // its clock was set back, or it is another server: what was asked for before cannot be compared
                    known.anything = known.anything.max(Some(before));
                }
                known.answered = Some((began, lately.now));
                known.add(lately, most);
            }
            Ok(Err(error)) => debug!(%error, "what batches touched is not known"),
            Err(_) => debug!("what batches touched is not known in time"),
        }
        known
    }
}

impl Known {
    fn is_recent(&self) -> bool {
        self.tried.is_some_and(|tried| tried.elapsed() < EVERY)
    }

    fn add(&mut self, lately: Lately, most: Duration) {
        let forgotten = lately.now - TimeDelta::from_std(most).unwrap_or(TimeDelta::MAX);
        self.hours.retain(|_, stored_by| *stored_by > forgotten);
        for (stored_by, touched) in lately.batches {
            let Some(touched) = touched else {
                self.anything = self.anything.max(Some(stored_by));
                continue;
            };
            for (domain, hours) in touched.stretches() {
                for hour in hours {
                    let last = self.hours.entry((domain, hour)).or_insert(stored_by);
                    *last = stored_by.max(*last);
                }
            }
        }
    }

    /// Whether PostgreSQL's clock cannot have said so yet: such an answer would be believed for ever.
    fn is_yet_to_come(&self, asked_at: DateTime<Utc>) -> bool {
        self.answered.is_some_and(|(heard, now)| {
            let since = TimeDelta::from_std(heard.elapsed() + UNSEEN).unwrap_or(TimeDelta::MAX);
            asked_at - now > since
        })
    }

    fn has_touched(&self, watched: &Watched, asked_at: DateTime<Utc>) -> bool {
        let (first, last) = (*watched.hours.start(), *watched.hours.end());
        self.anything.is_some_and(|stored_by| stored_by > asked_at)
            || self.is_yet_to_come(asked_at)
            || watched.domains.iter().any(|domain| {
                first <= last
                    && self
                        .hours
                        .range((*domain, first)..=(*domain, last))
                        .any(|(_, stored_by)| *stored_by > asked_at)
            })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use metadata_store::batches::Touched;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    /// When a batch was stored, and the hours of a domain that it touched.
    type Stored<'h> = (i64, Option<(Domain, &'h [i64])>);

    fn known(batches: &[Stored<'_>]) -> Known {
        let batches = batches.iter().map(|(second, touched)| {
            let touched = touched.map(|(domain, hours)| {
                let hours = BTreeSet::from_iter(hours.iter().copied());
                Touched::new([(domain, &hours)])
            });
            (at(*second), touched)
        });
        let mut known = Known::default();
        let lately = Lately {
            now: at(100),
            batches: batches.collect(),
        };
        known.add(lately, Duration::from_secs(60));
        known
    }

    const TRIPS: Watched = Watched {
        domains: &[Domain::Trip],
        hours: 10..=12,
    };

    #[test]
    fn a_batch_stored_since_touches_its_hours_of_its_domain() {
        let known = known(&[(90, Some((Domain::Trip, &[3, 12])))]);
        assert!(known.has_touched(&TRIPS, at(89)));
        assert!(!known.has_touched(&TRIPS, at(90)));
        let later = Watched {
            hours: 13..=20,
            ..TRIPS
        };
        assert!(!known.has_touched(&later, at(0)));
        let bookings = Watched {
            domains: &[Domain::Booking],
            ..TRIPS
        };
        assert!(!known.has_touched(&bookings, at(0)));
    }

    #[test]
    fn the_last_batch_of_an_hour_counts() {
        let known = known(&[
            (95, Some((Domain::Trip, &[10]))),
            (50, Some((Domain::Trip, &[10]))),
        ]);
        assert!(known.has_touched(&TRIPS, at(94)));
    }

    #[test]
    fn a_batch_of_which_nothing_is_known_touches_everything() {
        let known = known(&[(90, None)]);
        assert!(known.has_touched(&TRIPS, at(89)) && !known.has_touched(&TRIPS, at(90)));
    }

    #[test]
    fn what_no_answer_is_as_old_as_is_forgotten() {
        let mut known = known(&[(90, Some((Domain::Trip, &[10])))]);
        let later = Lately {
            now: at(151),
            batches: Vec::new(),
        };
        known.add(later, Duration::from_secs(60));
        assert!(known.hours.is_empty());
    }
}
