//! From scaled cells to rides.

use super::scale::{rounded, scaled};
use super::table::{Cell, TripTable};
use super::zones::Zones;
use crate::config::Disorder;
use crate::dice::{Dice, Subject};
use crate::event::Role;
use crate::post::{Delivery, Occurrence, Post, Terms};
use crate::ride::{self, Order, Outcome};
use crate::world::{Fleet, Newcomer, People, Route, Towns};
use std::collections::HashMap;
use std::vec::IntoIter;
use uuid::Uuid;

const MINUTE_MS: i64 = 60_000;
const SLOT_MS: i64 = 15 * MINUTE_MS;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
const LEAD_MS: i64 = 3 * MINUTE_MS;
const HEADWAY_MS: i64 = 10 * MINUTE_MS;

/// The replayed week: an iterator of occurrences, ordered by arrival.
#[derive(Debug)]
pub struct Replay {
    seed: u64,
    monday_ms: i64,
    towns: Towns,
    zones: Zones,
    people: People,
    fleet: Fleet,
    /// The routes between two zones.
    routes: HashMap<(u16, u16), Vec<usize>>,
    cells: std::iter::Peekable<IntoIter<Cell>>,
    post: Post,
    trips: u64,
    told: u64,
}

impl Replay {
    /// The table at a scale of 1 to `scale`, in the week that begins at `monday_ms`, midnight in Lagos.
    #[must_use]
    pub fn new(seed: u64, table: &TripTable, scale: u32, monday_ms: i64) -> Self {
        let towns = Towns::of_nigeria();
        let terms = Terms {
            disorder: Disorder {
                late: 0.0,
                skewed: 0.0,
                without_fix: 0.0,
                ..Disorder::NORMAL
            },
            opening_ms: monday_ms,
            end_ms: i64::MAX,
            pings_since_ms: i64::MAX,
        };
        let cells: Vec<Cell> = scaled(table, scale).collect();
        let mut replay = Self {
            seed,
            monday_ms,
            zones: Zones::rank(table, &towns),
            towns,
            people: People::default(),
            fleet: Fleet::default(),
            routes: HashMap::new(),
            cells: Vec::new().into_iter().peekable(),
            post: Post::new(terms),
            trips: rounded(table.trips(), u64::from(scale.max(1))),
            told: 0,
        };
        replay.found(&cells);
        replay.cells = cells.into_iter().peekable();
        replay
    }

    /// How many trips the replay tells: those of the table ÷ scale, rounded half up.
    #[must_use]
    pub const fn trips(&self) -> u64 {
        self.trips
    }

    /// Riders, drivers and routes come on the Sunday before.
    fn found(&mut self, cells: &[Cell]) {
        let mut dice = Dice::new(self.seed, Subject::Population, 1);
        for (zones, cars) in cars_needed(cells) {
            for _ in 0..cars {
                self.add_route(zones, &mut dice);
            }
        }
        for _ in 0..(self.trips / 6).clamp(20, 100_000) {
            let registered_ms = self.on_sunday(&mut dice);
            let rider = Newcomer::arrive(registered_ms, Role::Rider, false, &self.towns, &mut dice);
            self.post.send(
                rider.story.clone(),
                Delivery::prompt(registered_ms),
                &mut dice,
            );
            self.people.join(&rider);
        }
    }

    fn add_route(&mut self, zones: (u16, u16), dice: &mut Dice) {
        let registered_ms = self.on_sunday(dice);
        let driver = Newcomer::arrive(registered_ms, Role::Driver, false, &self.towns, dice);
        let (from, to) = (self.zones.town(zones.0), self.zones.town(zones.1));
        let Some(route) = Route::between(
            driver.user,
            from,
            to,
            registered_ms + MINUTE_MS,
            &self.towns,
            dice,
        ) else {
            return;
        };
        let route = route.every_day();
        let story = driver
            .story
            .into_iter()
            .chain([route.opening(dice)])
            .collect();
        self.post.send(story, Delivery::prompt(registered_ms), dice);
        self.routes.entry(zones).or_default().push(self.fleet.len());
        self.fleet.add(route);
    }

    fn on_sunday(&self, dice: &mut Dice) -> i64 {
        self.monday_ms - dice.between(2 * MINUTE_MS, DAY_MS)
    }

    /// Tells all trips of the next quarter of an hour.
    fn tell_slot(&mut self, slot_ms: i64) {
        let mut dice = Dice::new(
            self.seed,
            Subject::Replay,
            u64::try_from(slot_ms).unwrap_or_default(),
        );
        self.fleet.forget_before(slot_ms);
        let mut bookings = Vec::new();
        let monday_ms = self.monday_ms;
        while let Some(cell) = self
            .cells
            .next_if(|cell| slot_start(monday_ms, cell) == slot_ms)
        {
            bookings.extend(
                (0..cell.trips)
                    .map(|_| (slot_ms + dice.between(0, SLOT_MS - 1), cell.from, cell.to)),
            );
        }
        bookings.sort_unstable();
        for (booked_ms, from, to) in bookings {
            self.tell_trip(booked_ms, (from, to));
        }
    }

    fn tell_trip(&mut self, booked_ms: i64, zones: (u16, u16)) {
        let mut dice = Dice::new(self.seed, Subject::Ride, self.told);
        self.told += 1;
        let rider = self
            .people
            .rider(self.zones.town(zones.0), Uuid::nil(), &mut dice);
        let number = self
            .routes
            .get(&zones)
            .and_then(|routes| dice.pick(routes))
            .copied();
        let seat = number.and_then(|number| {
            self.fleet
                .reserve_on(number, 1, booked_ms + LEAD_MS, HEADWAY_MS)
        });
        let Some(((route, departure_ms), rider)) = seat.zip(rider) else {
            return;
        };
        let order = Order::on(&route, departure_ms, 1, rider, booked_ms);
        let script = ride::tell(&order, Outcome::Completed, &mut dice);
        let delivery = Delivery::of_ride(self.post.terms(), booked_ms, &mut dice);
        self.post.send(script, delivery, &mut dice);
    }
}

fn slot_start(monday_ms: i64, cell: &Cell) -> i64 {
    monday_ms + i64::from(cell.day) * DAY_MS + i64::from(cell.slot) * SLOT_MS
}

/// For each pair of zones as many cars as its busiest quarter of an hour fills.
fn cars_needed(cells: &[Cell]) -> Vec<((u16, u16), u32)> {
    let mut busiest = HashMap::<(u16, u16), u32>::new();
    for cell in cells {
        let trips = busiest.entry((cell.from, cell.to)).or_default();
        *trips = cell.trips.max(*trips);
    }
    let mut cars: Vec<_> = busiest
        .into_iter()
        .map(|(zones, trips)| (zones, trips.div_ceil(4)))
        .collect();
    cars.sort_unstable();
    cars
}

impl Iterator for Replay {
    type Item = Occurrence;

    fn next(&mut self) -> Option<Occurrence> {
        while let Some(cell) = self.cells.peek() {
            let slot_ms = slot_start(self.monday_ms, cell);
            if self.post.delivers_before(slot_ms) {
                break;
            }
            self.tell_slot(slot_ms);
        }
        self.post.deliver()
    }
}
