//! The routes that drivers offer.

use super::demand::LAGOS_MS;
use super::{Geometry, NAMES, Newcomer, Towns};
use crate::dice::{Dice, float, whole};
use crate::event::{Fact, Point, RouteFact, RouteStep, UNKNOWN};
use chrono::{DateTime, Datelike};
use shared_schema::Region;
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
    pub(super) opened_ms: i64,
    pub(super) closed: bool,
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

    pub(super) fn fact(&self, step: RouteStep) -> Fact {
        Fact::Route(RouteFact {
            route: self.id,
            driver: self.driver,
            name: self.name.clone(),
            step,
        })
    }

    /// The first departure from `from_ms` on, on a day on which the route is served. Cars leave at the published
    /// time and every `headway_ms` before and after it.
    pub(super) fn departure_from(&self, from_ms: i64, headway_ms: i64) -> i64 {
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
