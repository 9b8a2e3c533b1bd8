//! The story, in the order in which it arrives.
//!
//! ```text
//! demand ─► a tick: a ride, now and then a newcomer or a change to a route ─► heap by arrival ─► Occurrence
//! ```

use crate::config::{Config, Founding};
use crate::dice::{Dice, Subject};
use crate::event::{Fact, LogicalEvent, Role};
use crate::ride::{self, Order, Outcome, Script};
use crate::world::{Demand, Fleet, Newcomer, People, Route, Towns, fare_kobo, road_speed_kmh};
use delivery::Delivery;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

mod delivery;
mod founding;

/// An event and when it reaches Kafka.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrence {
    /// Milliseconds since 1970.
    pub arrival_ms: i64,
    /// What arrives.
    pub event: LogicalEvent,
}

/// The whole story: an iterator of occurrences, ordered by arrival.
#[derive(Debug)]
pub struct Simulation {
    config: Config,
    towns: Towns,
    people: People,
    fleet: Fleet,
    demand: Demand,
    next_booking_ms: Option<i64>,
    ticks: u64,
    users: u64,
    pending: Pending,
}

/// What has happened and not yet arrived.
#[derive(Debug, Default)]
struct Pending {
    heap: BinaryHeap<Reverse<Arrival>>,
    sequence: u64,
}

#[derive(Debug)]
struct Arrival {
    arrival_ms: i64,
    sequence: u64,
    event: Box<LogicalEvent>,
}

impl PartialEq for Arrival {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Arrival {}

impl PartialOrd for Arrival {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Arrival {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.arrival_ms, self.sequence).cmp(&(other.arrival_ms, other.sequence))
    }
}

impl Pending {
    fn push(&mut self, arrival_ms: i64, event: LogicalEvent) {
        self.sequence += 1;
        self.heap.push(Reverse(Arrival {
            arrival_ms,
            sequence: self.sequence,
            event: Box::new(event),
        }));
    }
}

/// One booking in so many is accompanied by somebody who registers, or by a change to a route.
const TICKS_PER_NEWCOMER: f64 = 12.0;
const TICKS_PER_CARE: f64 = 150.0;

impl Simulation {
    /// The story of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let mut demand = Demand::new(
            config.seed,
            config.shape,
            config.opening_ms(),
            config.end_ms,
            config.rides,
        );
        let next_booking_ms = demand.next();
        let mut simulation = Self {
            config: config.clone(),
            towns: Towns::of_nigeria(),
            people: People::default(),
            fleet: Fleet::default(),
            demand,
            next_booking_ms,
            ticks: 0,
            users: 0,
            pending: Pending::default(),
        };
        simulation.found();
        simulation
    }

    fn tick(&mut self, now_ms: i64) {
        let mut dice = Dice::new(self.config.seed, Subject::Ride, self.ticks);
        self.ticks += 1;
        if dice.chance(1.0 / TICKS_PER_NEWCOMER) {
            let newcomer = self.newcomer(now_ms, Role::Rider);
            self.people.join(&newcomer);
        }
        if dice.chance(1.0 / TICKS_PER_CARE) {
            let mut care = Dice::new(self.config.seed, Subject::RouteCare, self.ticks);
            let change = self.fleet.care(now_ms, &mut care);
            self.deliver(
                change.into_iter().collect(),
                Delivery::prompt(now_ms),
                &mut care,
            );
        }
        self.ride(now_ms, &mut dice);
    }

    fn ride(&mut self, now_ms: i64, dice: &mut Dice) {
        let seats = *dice
            .weighted(&[(1, 60), (2, 25), (3, 10), (4, 5)])
            .unwrap_or(&1);
        let tempo = self.config.tempo;
        let Some((route, departure_ms)) =
            self.fleet
                .reserve(seats, now_ms + tempo.lead_ms, tempo.headway_ms, dice)
        else {
            return;
        };
        let Some(rider) = self.people.rider(route.town, route.driver, dice) else {
            return;
        };
        let outcome = Outcome::draw(dice);
        let order = self.order(now_ms, rider, &route, seats, departure_ms, dice);
        let script = ride::tell(&order, outcome, dice);
        let delivery = Delivery::of_ride(&self.config, now_ms, dice);
        self.deliver(script, delivery, dice);
    }

    fn order(
        &self,
        booked_ms: i64,
        rider: uuid::Uuid,
        route: &Route,
        seats: u8,
        departure_ms: i64,
        dice: &mut Dice,
    ) -> Order {
        let speed_kmh = road_speed_kmh(departure_ms);
        Order {
            booked_ms,
            rider,
            driver: route.driver,
            route: route.id,
            seats,
            price_kobo: fare_kobo(route, seats, speed_kmh),
            departure_ms,
            from: route.from,
            to: route.to,
            origin: route.origin,
            destination: route.destination,
            speed_kmh,
            pings: self.config.pings_per_trip,
            fix: !dice.chance(self.config.disorder.without_fix),
        }
    }

    /// Somebody who registers now, or before the story begins.
    fn newcomer(&mut self, at_ms: i64, role: Role) -> Newcomer {
        let mut dice = Dice::new(self.config.seed, Subject::User, self.users);
        self.users += 1;
        let veteran = dice.chance(0.03);
        let newcomer = Newcomer::arrive(at_ms, role, veteran, &self.towns, &mut dice);
        let upgrade = newcomer
            .upgraded_ms
            .map(|upgraded_ms| upgraded_ms + dice.between(600_000, 36_000_000));
        self.deliver(newcomer.story.clone(), Delivery::prompt(at_ms), &mut dice);
        if let Some(opened_ms) = upgrade {
            self.open_route(&newcomer, opened_ms, false, &mut dice);
        }
        newcomer
    }

    /// A driver's new route; one that was there before the story began is never told.
    fn open_route(&mut self, driver: &Newcomer, opened_ms: i64, veteran: bool, dice: &mut Dice) {
        let route = Route::plan(driver, opened_ms, self.config.tempo.far, &self.towns, dice);
        if let Some(route) = route {
            if !veteran {
                let opening = route.opening(dice);
                self.deliver(vec![opening], Delivery::prompt(opened_ms), dice);
            }
            self.fleet.add(route);
        }
    }

    /// Sends the events on their way, as far as they have happened when the story ends.
    fn deliver(&mut self, script: Script, delivery: Delivery, dice: &mut Dice) {
        for (happened_ms, fact) in script {
            if happened_ms > self.config.end_ms
                || !self.is_worth_telling(happened_ms, &fact, &delivery)
            {
                continue;
            }
            let (arrival_ms, event) = delivery.send(&self.config, happened_ms, fact, dice);
            self.pending.push(arrival_ms, event);
        }
    }

    fn is_worth_telling(&self, happened_ms: i64, fact: &Fact, delivery: &Delivery) -> bool {
        !matches!(fact, Fact::Location(_))
            || delivery.told_ms(happened_ms) >= self.config.pings_since_ms
    }
}

impl Iterator for Simulation {
    type Item = Occurrence;

    fn next(&mut self) -> Option<Occurrence> {
        // Nothing that a booking gives rise to arrives before it is made.
        while let Some(booking_ms) = self.next_booking_ms
            && self
                .pending
                .heap
                .peek()
                .is_none_or(|Reverse(first)| first.arrival_ms >= booking_ms)
        {
            self.next_booking_ms = self.demand.next();
            self.tick(booking_ms);
        }
        let Reverse(first) = self.pending.heap.pop()?;
        Some(Occurrence {
            arrival_ms: first.arrival_ms,
            event: *first.event,
        })
    }
}

impl Config {
    const fn arrival_of_founders_ms(&self) -> Option<i64> {
        match self.founding {
            Founding::Within => None,
            Founding::Before => Some(self.start_ms),
        }
    }
}
