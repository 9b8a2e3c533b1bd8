//! The routes that drivers offer, and the seats on them.

use super::demand::LAGOS_MS;
use super::{Geometry, NAMES, Newcomer, Towns};
use crate::dice::{Dice, float, whole};
use crate::event::{Fact, Point, RouteFact, RouteStep, UNKNOWN};
use chrono::{DateTime, Datelike};
use shared_schema::Region;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

const SECOND_MS: i64 = 1000;
const EVERY_DAY: u8 = 0b111_1111;

/// A route.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) id: Uuid,
    pub(crate) driver: Uuid,
    pub(crate) name: Arc<str>,
    pub(crate) town: usize,
    pub(crate) origin: Region,
    pub(crate) destination: Region,
    pub(crate) from: Point,
    pub(crate) to: Point,
    pub(crate) seats_total: u8,
    /// Of a seat.
    pub(crate) base_price_kobo: i64,
    departure_second: u32,
    active_days: u8,
    opened_ms: i64,
    closed: bool,
}

/// All routes, and how many seats are sold on each departure to come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fleet {
    routes: Vec<Route>,
    /// By departure and route.
    sold: BTreeMap<(i64, usize), u8>,
}

impl Route {
    /// A route that starts in the driver's town.
    pub(crate) fn plan(
        driver: &Newcomer,
        opened_ms: i64,
        far: bool,
        towns: &Towns,
        dice: &mut Dice,
    ) -> Option<Self> {
        let town = towns.get(driver.town)?;
        Self::between(
            driver.user,
            driver.town,
            town.destination(driver.town, far, dice),
            opened_ms,
            towns,
            dice,
        )
    }

    /// A route from one town to another.
    pub(crate) fn between(
        driver: Uuid,
        town: usize,
        destination: usize,
        opened_ms: i64,
        towns: &Towns,
        dice: &mut Dice,
    ) -> Option<Self> {
        let (start, end) = (towns.get(town)?, towns.get(destination)?);
        let (from, to) = (start.somewhere(dice), end.somewhere(dice));
        let kilometres = Geometry::kilometres(from, to).max(0.8) * 1.3;
        // About ₦180 a kilometre and ₦400 at least, with comfort that some pay a lot for; and odd kobo of levies.
        let naira = (400.0 + 180.0 * kilometres) * (0.55 + 0.3 * dice.long_tail());
        let name = format!(
            "{} – {}",
            stop_name(start.region, dice)?,
            stop_name(end.region, dice)?
        );
        Some(Self {
            id: dice.uuid(),
            driver,
            name: name.into(),
            town,
            origin: start.region,
            destination: end.region,
            from,
            to,
            seats_total: u8::try_from(dice.between(4, 8)).unwrap_or(4),
            base_price_kobo: whole(naira / 10.0) * 1_000 + dice.between(0, 99),
            departure_second: u32::try_from(dice.between(16, 84) * 900).unwrap_or_default(),
            active_days: *dice.weighted(&[(EVERY_DAY, 6), (0b001_1111, 3), (0b011_1111, 1)])?,
            opened_ms,
            closed: false,
        })
    }

    /// The same route, also on Saturday and Sunday.
    pub(crate) fn every_day(self) -> Self {
        Self {
            active_days: EVERY_DAY,
            ..self
        }
    }

    /// Its `route.created`.
    pub(crate) fn opening(&self, dice: &mut Dice) -> (i64, Fact) {
        let step = RouteStep::Created {
            origin: self.origin,
            destination: self.destination,
            stops: u8::try_from(dice.between(2, 9)).unwrap_or(2),
            seats_total: self.seats_total,
            base_price_kobo: self.base_price_kobo,
            departure_second: self.departure_second,
            active_days: self.active_days,
        };
        (self.opened_ms, self.fact(step))
    }

    fn fact(&self, step: RouteStep) -> Fact {
        Fact::Route(RouteFact {
            route: self.id,
            driver: self.driver,
            name: self.name.clone(),
            step,
        })
    }

    /// The first departure from `from_ms` on, on a day on which the route is served. Cars leave at the published
    /// time and every `headway_ms` before and after it.
    fn departure_from(&self, from_ms: i64, headway_ms: i64) -> i64 {
        let anchor_ms = i64::from(self.departure_second) * SECOND_MS - LAGOS_MS;
        let steps = (from_ms - anchor_ms + headway_ms - 1).div_euclid(headway_ms);
        let mut departure_ms = anchor_ms + steps * headway_ms;
        while !self.is_served_at(departure_ms) {
            departure_ms += headway_ms;
        }
        departure_ms
    }

    fn is_served_at(&self, instant_ms: i64) -> bool {
        let clock = DateTime::from_timestamp_millis(instant_ms + LAGOS_MS).unwrap_or_default();
        self.active_days >> clock.weekday().num_days_from_monday() & 1 == 1
    }
}

impl Fleet {
    pub(crate) fn add(&mut self, route: Route) {
        self.routes.push(route);
    }

    pub(crate) const fn len(&self) -> usize {
        self.routes.len()
    }

    /// Seats on one of the routes: the route, and the departure, at `from_ms` or later. Full cars are passed over;
    /// where all are full, people wait for the next one.
    pub(crate) fn reserve(
        &mut self,
        seats: u8,
        from_ms: i64,
        headway_ms: i64,
        dice: &mut Dice,
    ) -> Option<(Route, i64)> {
        let mut last_choice = None;
        for _ in 0..8 {
            let number = dice
                .below(self.routes.len())
                .min(dice.below(self.routes.len()));
            let route = self.routes.get(number)?;
            if route.closed || route.opened_ms > from_ms {
                continue;
            }
            let departure_ms = route.departure_from(from_ms, headway_ms);
            if departure_ms <= from_ms + headway_ms && self.has_room(number, departure_ms, seats) {
                return self.sell(number, departure_ms, seats);
            }
            last_choice = Some(number);
        }
        let number = last_choice?;
        self.reserve_on(number, seats, from_ms, headway_ms)
    }

    /// Seats on this route, at `from_ms` or later.
    pub(crate) fn reserve_on(
        &mut self,
        number: usize,
        seats: u8,
        from_ms: i64,
        headway_ms: i64,
    ) -> Option<(Route, i64)> {
        let route = self.routes.get(number)?;
        let mut departure_ms = route.departure_from(from_ms, headway_ms);
        while seats <= route.seats_total && !self.has_room(number, departure_ms, seats) {
            departure_ms = route.departure_from(departure_ms + 1, headway_ms);
        }
        self.sell(number, departure_ms, seats)
    }

    fn has_room(&self, number: usize, departure_ms: i64, seats: u8) -> bool {
        let sold = self
            .sold
            .get(&(departure_ms, number))
            .copied()
            .unwrap_or_default();
        self.routes
            .get(number)
            .is_some_and(|route| sold.saturating_add(seats) <= route.seats_total)
    }

    /// Forgets the departures before an instant.
    pub(crate) fn forget_before(&mut self, instant_ms: i64) {
        while let Some(first) = self.sold.first_entry()
            && first.key().0 < instant_ms
        {
            first.remove();
        }
    }

    fn sell(&mut self, number: usize, departure_ms: i64, seats: u8) -> Option<(Route, i64)> {
        let sold = self.sold.entry((departure_ms, number)).or_default();
        *sold = sold.saturating_add(seats);
        self.routes
            .get(number)
            .map(|route| (route.clone(), departure_ms))
    }

    /// Something that happens to one of the routes.
    pub(crate) fn care(&mut self, at_ms: i64, dice: &mut Dice) -> Option<(i64, Fact)> {
        let count = self.routes.len();
        let route = self
            .routes
            .get_mut(dice.below(count))
            .filter(|route| !route.closed && route.opened_ms < at_ms)?;
        let step = match dice.between(0, 9) {
            0..=5 => RouteStep::Updated {
                fields: dice.pick(&UPDATES).copied()?,
            },
            9 if count > 20 => {
                route.closed = true;
                let reason = dice.chance(0.5).then_some("driver moved away");
                let active_bookings = u32::try_from(dice.between(0, 3)).unwrap_or_default();
                RouteStep::Cancelled {
                    reason,
                    active_bookings,
                }
            }
            _ => RouteStep::Activated,
        };
        Some((at_ms, route.fact(step)))
    }
}

const UPDATES: [&[&str]; 3] = [
    &["base_price"],
    &["departure_time", "active_days"],
    &["stops"],
];

fn stop_name(region: Region, dice: &mut Dice) -> Option<String> {
    let landmark = dice.pick(NAMES.landmarks)?;
    Some(if region == UNKNOWN {
        (*landmark).to_owned()
    } else {
        format!("{} {landmark}", region.city)
    })
}

/// The fare of a booking, in kobo: seats at the base price, dearer when the road is full.
pub(crate) fn fare_kobo(route: &Route, seats: u8, speed_kmh: f64) -> i64 {
    let surge = (1.0 + (30.0 - speed_kmh) / 40.0).clamp(1.0, 1.5);
    whole(float(route.base_price_kobo * i64::from(seats)) * surge)
}
