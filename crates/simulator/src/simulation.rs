//! The story, in the order in which it arrives.
//!
//! ```text
//! demand ─► a tick: a ride, now and then a newcomer or a change to a route ─► heap by arrival ─► Occurrence
//! ```

use crate::config::Config;
use crate::dice::{Dice, Subject};
use crate::event::Role;
use crate::post::{Delivery, Occurrence, Post, Terms};
use crate::ride::{self, Order, Outcome};
use crate::world::{Demand, Fleet, Newcomer, People, Route, Towns};

mod founding;

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
    post: Post,
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
            post: Post::new(Terms::from(config)),
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
            self.post.send(
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
        self.fleet.forget_before(now_ms);
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
        let order = Order {
            pings: self.config.pings_per_trip,
            fix: !dice.chance(self.config.disorder.without_fix),
            ..Order::on(&route, departure_ms, seats, rider, now_ms)
        };
        let script = ride::tell(&order, outcome, dice);
        let delivery = Delivery::of_ride(self.post.terms(), now_ms, dice);
        self.post.send(script, delivery, dice);
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
        self.post
            .send(newcomer.story.clone(), Delivery::prompt(at_ms), &mut dice);
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
                self.post
                    .send(vec![opening], Delivery::prompt(opened_ms), dice);
            }
            self.fleet.add(route);
        }
    }
}

impl Iterator for Simulation {
    type Item = Occurrence;

    fn next(&mut self) -> Option<Occurrence> {
        // Nothing that a booking gives rise to arrives before it is made.
        while let Some(booking_ms) = self.next_booking_ms
            && !self.post.delivers_before(booking_ms)
        {
            self.next_booking_ms = self.demand.next();
            self.tick(booking_ms);
        }
        self.post.deliver()
    }
}
