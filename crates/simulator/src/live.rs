//! A story that never ends and tells a steady number of events a second.
//!
//! Rides come at a steady rate, their events in waves. Pings of drivers who wait for passengers fill each second
//! up to the wanted number, as far as a second has not too many already.

use crate::config::{Config, Disorder, Founding, Tempo};
use crate::dice::{Dice, Subject, float, whole};
use crate::event::{Fact, LogicalEvent, Ping, RouteStep};
use crate::post::Occurrence;
use crate::simulation::Simulation;
use crate::world::{Shape, Towns};
use std::collections::VecDeque;
use uuid::Uuid;

const SECOND_MS: i64 = 1000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// What of the traffic comes from rides; the rest is filled up with pings of waiting drivers.
const SHARE_OF_RIDES: f64 = 0.6;

/// Events that a ride gives rise to, newcomers and route changes included, about.
const EVENTS_PER_RIDE: f64 = 13.7;

/// As many events at most tell at the start what is already under way: more than 100 a second begin with fewer
/// rides that have come far.
const WARM_UP_EVENTS: f64 = 60_000.0;

/// No run is longer.
const LONGEST_MS: i64 = 3_650 * DAY_MS;

/// A steady story: an iterator of occurrences, ordered by arrival.
///
/// It begins a little before `now_ms`, so that rides are under way then; what arrived before arrives at `now_ms`.
#[derive(Debug)]
pub struct Live {
    story: std::iter::Peekable<Simulation>,
    rate: i64,
    now_ms: i64,
    second_ms: i64,
    /// Events told beyond the rate, to be saved later.
    excess: i64,
    ready: VecDeque<Occurrence>,
    waiting: Waiting,
}

impl Live {
    /// `rate` events a second from `now_ms` on.
    #[must_use]
    pub fn new(seed: u64, now_ms: i64, rate: u32, disorder: Disorder) -> Self {
        let rate = i64::from(rate.max(1));
        let rides_per_second = float(rate) * SHARE_OF_RIDES / EVENTS_PER_RIDE;
        let warm_up = WARM_UP_EVENTS / (float(rate) * SHARE_OF_RIDES);
        let start_ms = now_ms - whole(warm_up.min(1_800.0) * 1000.0);
        let rides = whole(rides_per_second * float(LONGEST_MS / SECOND_MS));
        let config = Config {
            shape: Shape::Steady,
            tempo: Tempo::ON_DEMAND,
            founding: Founding::Before,
            disorder,
            ..Config::new(
                seed,
                start_ms,
                start_ms + LONGEST_MS,
                u64::try_from(rides).unwrap_or(1),
            )
        };
        Self {
            story: Simulation::new(&config).peekable(),
            rate,
            now_ms,
            second_ms: now_ms,
            excess: 0,
            ready: VecDeque::new(),
            waiting: Waiting::new(seed),
        }
    }

    /// Everything that arrives before an instant, and not before `now_ms`.
    fn take_until(&mut self, end_ms: i64) {
        while let Some(mut occurrence) = self.story.next_if(|next| next.arrival_ms < end_ms) {
            occurrence.arrival_ms = occurrence.arrival_ms.max(self.now_ms);
            self.waiting.notice(&occurrence.event.fact);
            self.ready.push_back(occurrence);
        }
    }

    fn tell_second(&mut self) {
        if self.second_ms == self.now_ms {
            // What has happened so far comes on top of the rate.
            self.take_until(self.now_ms + 1);
        }
        let before = self.ready.len();
        self.take_until(self.second_ms + SECOND_MS);
        let told = i64::try_from(self.ready.len() - before).unwrap_or(i64::MAX);
        let missing = self.rate - told - self.excess;
        self.excess = (-missing).max(0);
        for number in 0..missing.max(0) {
            let at_ms = self.second_ms + number * SECOND_MS / missing.max(1);
            self.ready.extend(self.waiting.ping(at_ms));
        }
        self.ready
            .make_contiguous()
            .sort_by_key(|occurrence| occurrence.arrival_ms);
        self.second_ms += SECOND_MS;
    }
}

impl Iterator for Live {
    type Item = Occurrence;

    fn next(&mut self) -> Option<Occurrence> {
        while self.ready.is_empty() {
            self.story.peek()?;
            self.tell_second();
        }
        self.ready.pop_front()
    }
}

/// Drivers who wait for passengers, each in their town.
#[derive(Debug)]
struct Waiting {
    towns: Towns,
    drivers: Vec<(Uuid, usize)>,
    next: usize,
    dice: Dice,
}

impl Waiting {
    fn new(seed: u64) -> Self {
        let dice = Dice::new(seed, Subject::Filler, 0);
        Self {
            towns: Towns::of_nigeria(),
            drivers: Vec::new(),
            next: 0,
            dice,
        }
    }

    /// Drivers are known from their routes.
    fn notice(&mut self, fact: &Fact) {
        if let Fact::Route(route) = fact
            && let RouteStep::Created { origin, .. } = route.step
            && let Some(town) = self.towns.find(origin)
        {
            self.drivers.push((route.driver, town));
        }
    }

    /// The next driver tells where it is.
    fn ping(&mut self, at_ms: i64) -> Option<Occurrence> {
        self.next = (self.next + 1) % self.drivers.len().max(1);
        let (driver, town) = *self.drivers.get(self.next)?;
        let town = self.towns.get(town)?;
        let ping = Ping {
            driver,
            trip: None,
            at: town.somewhere(&mut self.dice),
            speed_deci_kmh: u16::try_from(self.dice.between(0, 250)).ok(),
            bearing: u16::try_from(self.dice.between(0, 359)).ok(),
            accuracy_m: u16::try_from(self.dice.between(3, 40)).ok(),
            named: self.dice.chance(0.3),
            region: town.region,
        };
        let id = Some(self.dice.uuid());
        let event = LogicalEvent {
            at_ms,
            id,
            fact: Fact::Location(ping),
        };
        Some(Occurrence {
            arrival_ms: at_ms,
            event,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_711_324_800_000;

    fn per_second(rate: u32, seconds: usize) -> Vec<usize> {
        let mut counts = vec![0; seconds];
        let live = Live::new(1, NOW_MS, rate, Disorder::NONE);
        for occurrence in live.skip_while(|occurrence| occurrence.arrival_ms == NOW_MS) {
            let second = usize::try_from((occurrence.arrival_ms - NOW_MS) / SECOND_MS).unwrap();
            match counts.get_mut(second) {
                Some(count) => *count += 1,
                None => break,
            }
        }
        counts
    }

    #[test]
    fn every_second_tells_as_many_events_as_asked_for() {
        let counts = per_second(200, 120);
        let total: usize = counts.iter().sum();
        assert!((23_900..=24_100).contains(&total), "{total}");
        assert!(
            counts
                .iter()
                .skip(1)
                .all(|count| (150..=260).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn a_low_rate_is_kept_on_average() {
        let total: usize = per_second(3, 600).iter().sum();
        assert!((1_700..=1_850).contains(&total), "{total}");
    }

    #[test]
    fn rides_are_under_way_from_the_first_second() {
        // cars leave every ten minutes: it must hold wherever between two departures one begins
        for minute in 0..10 {
            let now_ms = NOW_MS + minute * MINUTE_MS;
            let mut types = std::collections::HashSet::new();
            let first = Live::new(1, now_ms, 100, Disorder::NONE);
            for occurrence in
                first.take_while(|occurrence| occurrence.arrival_ms < now_ms + 5 * SECOND_MS)
            {
                types.insert(occurrence.event.fact.event_type());
            }
            for expected in [
                "trip.started",
                "trip.completed",
                "payment.success",
                "booking.created",
            ] {
                assert!(types.contains(expected), "no {expected}: {types:?}");
            }
        }
    }
}
