//! The ride on the road.

use super::payment::Paid;
use super::{MINUTE_MS, Ride, SECOND_MS};
use crate::dice::{float, whole};
use crate::event::{BookingStep, Fact, Party, Ping, Point, TripStep};
use crate::world::Geometry;

/// Out of a hundred kobo of the fare, the driver's.
const DRIVER_SHARE: i64 = 80;

/// A departure up to this late, and a drive that takes up to this much longer than planned, are on time.
const TOLERANCE_MS: i64 = 10 * MINUTE_MS;

impl Ride<'_> {
    /// Departs, drives and arrives.
    pub(super) fn arrive(&mut self, confirmed_ms: i64) {
        let departure_ms = self.depart(confirmed_ms);
        let planned_ms = self.drive_ms();
        let jam = 0.9 + 0.15 * self.dice.long_tail().min(8.0);
        let drive_ms = whole(float(planned_ms) * jam).max(MINUTE_MS);
        let arrival_ms = departure_ms + drive_ms;
        self.drive(departure_ms, drive_ms, 1.0);
        let on_time = arrival_ms <= self.order.departure_ms + planned_ms + TOLERANCE_MS;
        let duration_minutes = u32::try_from(drive_ms / MINUTE_MS).unwrap_or_default();
        let told_ms = arrival_ms + self.dice.between(0, 5 * SECOND_MS);
        self.complete_trip(told_ms, departure_ms, arrival_ms, duration_minutes, on_time);
        let step = BookingStep::Completed {
            trip: self.trip,
            seats: self.order.seats,
            total_price_kobo: self.order.price_kobo,
            departure_ms,
            arrival_ms,
            duration_minutes,
        };
        let closed_ms = told_ms + self.dice.between(200, 20 * SECOND_MS);
        self.booking(closed_ms, step);
    }

    /// Departs and gets part of the way; the fare goes back.
    pub(super) fn break_down(&mut self, confirmed_ms: i64, paid: &Paid) {
        let departure_ms = self.depart(confirmed_ms);
        let share = 0.1 + 0.8 * self.dice.unit();
        let driven_ms = whole(float(self.drive_ms()) * share).max(MINUTE_MS);
        self.drive(departure_ms, driven_ms, share);
        let stopped_ms = departure_ms + driven_ms + self.seconds(0, 60);
        let partial_centi_km = u32::try_from(whole(self.kilometres() * share * 130.0)).ok();
        let step = TripStep::Cancelled {
            by: Party::Driver,
            reason: "breakdown",
            was_started: true,
            partial_centi_km,
        };
        self.trip(stopped_ms, step);
        let cancelled_ms = stopped_ms + self.seconds(1, 30);
        self.cancel(cancelled_ms, Party::System, Some("breakdown"), true);
        self.refund(cancelled_ms, paid, "the trip broke down");
    }

    /// When the car leaves: rarely early, mostly a little late, sometimes very late.
    fn depart(&mut self, confirmed_ms: i64) -> i64 {
        let delay_ms = whole((self.dice.long_tail() - 1.3) * 150.0) * SECOND_MS
            + self.dice.between(0, SECOND_MS);
        let earliest_ms = confirmed_ms + 5 * SECOND_MS;
        let departure_ms =
            (self.order.departure_ms + delay_ms.min(45 * MINUTE_MS)).max(earliest_ms);
        let step = TripStep::Started {
            scheduled_departure_ms: self.order.departure_ms,
            departure_ms,
            start: self.order.from,
            passengers: self.order.seats,
        };
        let told_ms = departure_ms + self.dice.between(0, 3 * SECOND_MS);
        self.trip(told_ms, step);
        departure_ms
    }

    /// How long the drive should take; roads are 30 % longer than the air line.
    fn drive_ms(&self) -> i64 {
        let hours = self.kilometres() * 1.3 / self.order.speed_kmh.max(5.0);
        whole(hours * 3_600_000.0).max(3 * MINUTE_MS)
    }

    /// Tells the way, up to `share` of it.
    fn drive(&mut self, departure_ms: i64, drive_ms: i64, share: f64) {
        let count = self.order.pings;
        let within_one_city = self.order.origin == self.order.destination;
        for ping in 1..=count {
            let progress = f64::from(ping) / f64::from(count + 1);
            let at_ms = departure_ms
                + whole(float(drive_ms) * progress)
                + self.dice.between(0, 2 * SECOND_MS);
            let done = progress * share;
            let region = if done < 0.5 {
                self.order.origin
            } else {
                self.order.destination
            };
            // Between cities the nearest one is for the map to decide, so there the telephone names it.
            let named = !within_one_city || self.dice.chance(0.3);
            let at = Geometry::between(self.order.from, self.order.to, done);
            let ping = Ping {
                region,
                named,
                ..self.ping(at)
            };
            self.script.push((at_ms, Fact::Location(ping)));
        }
    }

    fn ping(&mut self, at: Point) -> Ping {
        let speed = self.order.speed_kmh * (0.4 + 1.2 * self.dice.unit());
        Ping {
            driver: self.order.driver,
            trip: Some(self.trip),
            at,
            speed_deci_kmh: u16::try_from(whole(speed * 10.0)).ok(),
            bearing: u16::try_from(self.dice.between(0, 359)).ok(),
            accuracy_m: u16::try_from(self.dice.between(3, 40))
                .ok()
                .filter(|accuracy| accuracy % 5 != 0),
            named: false,
            region: self.order.origin,
        }
    }

    fn complete_trip(
        &mut self,
        at_ms: i64,
        departure_ms: i64,
        arrival_ms: i64,
        duration_minutes: u32,
        on_time: bool,
    ) {
        let price = self.order.price_kobo;
        let earnings_kobo = price * DRIVER_SHARE / 100;
        let step = TripStep::Completed {
            departure_ms,
            arrival_ms,
            duration_minutes,
            distance_centi_km: u32::try_from(whole(self.kilometres() * 130.0)).unwrap_or_default(),
            end: self.order.to,
            earnings_kobo,
            commission_kobo: price - earnings_kobo,
            on_time,
        };
        self.trip(at_ms, step);
    }
}
