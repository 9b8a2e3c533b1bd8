//! How one ride goes, from the booking to the end.
//!
//! ```text
//! booking.created ─ payment.initiated ─ payment.success ─ booking.confirmed ─ trip.started ─ pings ─ trip.completed ─ booking.completed
//!        │                  └─ payment.failed ─ again, with a new payment      │                  └─ breakdown ┐
//!        └─ abandoned: cancelled by the system, or never heard of again        └─ cancelled ─ payment.refunded ◄┘
//! ```

mod journey;
mod order;
mod outcome;
mod payment;

pub(crate) use order::Order;
pub(crate) use outcome::Outcome;

use crate::dice::Dice;
use crate::event::{
    BookingFact, BookingStep, Fact, Party, PaymentFact, PaymentStep, Point, TripFact, TripStep,
};
use crate::world::Geometry;
use payment::Paid;
use shared_schema::Region;
use uuid::Uuid;

const SECOND_MS: i64 = 1000;
const MINUTE_MS: i64 = 60 * SECOND_MS;

/// What a ride gives rise to: who says what when, by true clocks. Roughly in order.
pub(crate) type Script = Vec<(i64, Fact)>;

/// A ride while it is being told.
pub(crate) struct Ride<'a> {
    order: &'a Order,
    booking: Uuid,
    trip: Uuid,
    dice: &'a mut Dice,
    script: Script,
}

/// Tells the whole ride.
pub(crate) fn tell(order: &Order, outcome: Outcome, dice: &mut Dice) -> Script {
    let (booking, trip) = (dice.uuid(), dice.uuid());
    let mut ride = Ride {
        order,
        booking,
        trip,
        dice,
        script: Script::with_capacity(12),
    };
    ride.book();
    ride.go(outcome);
    ride.script
}

impl Ride<'_> {
    fn book(&mut self) {
        let order = self.order;
        let (pickup, pickup_region) = if order.fix {
            (order.from, order.origin)
        } else {
            (Point::default(), Region::UNKNOWN)
        };
        let step = BookingStep::Created {
            seats: order.seats,
            total_price_kobo: order.price_kobo,
            pickup_stop: self.dice.uuid(),
            dropoff_stop: self.dice.uuid(),
            pickup,
            dropoff: order.to,
            pickup_region,
            scheduled_departure_ms: order.departure_ms,
        };
        self.booking(order.booked_ms, step);
    }

    fn go(&mut self, outcome: Outcome) {
        let booked_ms = self.order.booked_ms;
        match outcome {
            Outcome::Forgotten => {}
            Outcome::Abandoned => {
                self.cancel(
                    booked_ms + 15 * MINUTE_MS,
                    Party::System,
                    Some("not paid in time"),
                    false,
                );
            }
            Outcome::RegrettedUnpaid => {
                let at_ms = booked_ms + self.seconds(20, 240);
                self.cancel(at_ms, Party::Rider, None, false);
            }
            Outcome::Regretted
            | Outcome::DriverGaveUp
            | Outcome::BrokeDown
            | Outcome::Completed => {
                self.pay_and_ride(outcome);
            }
        }
    }

    fn pay_and_ride(&mut self, outcome: Outcome) {
        // Whoever is to arrive tries until it works: a replayed trip did take place.
        let attempts = if outcome == Outcome::Completed {
            u32::MAX
        } else {
            3
        };
        let Some(paid) = self.pay(attempts) else {
            let at_ms = self.last_ms() + self.seconds(1, 30);
            return self.cancel(at_ms, Party::System, Some("payment failed"), false);
        };
        let confirmed_ms = paid.at_ms + self.dice.between(150, 2_500);
        self.confirm(confirmed_ms, paid.payment);
        match outcome {
            Outcome::Regretted => self.rider_cancels(confirmed_ms, &paid),
            Outcome::DriverGaveUp => self.driver_cancels(confirmed_ms, &paid),
            Outcome::BrokeDown => self.break_down(confirmed_ms, &paid),
            _ => self.arrive(confirmed_ms),
        }
    }

    fn confirm(&mut self, at_ms: i64, payment: Uuid) {
        let (seats, total_price_kobo) = (self.order.seats, self.order.price_kobo);
        let code = self.dice.bits();
        self.booking(
            at_ms,
            BookingStep::Confirmed {
                seats,
                total_price_kobo,
                payment,
                code,
            },
        );
    }

    fn rider_cancels(&mut self, confirmed_ms: i64, paid: &Paid) {
        let until_ms = (self.order.departure_ms - MINUTE_MS).max(confirmed_ms + SECOND_MS);
        let at_ms = self.dice.between(confirmed_ms + SECOND_MS, until_ms);
        let reason = self
            .dice
            .pick(&[None, Some("change of plans"), Some("found another ride")])
            .copied()
            .flatten();
        self.cancel(at_ms, Party::Rider, reason, true);
        self.refund(at_ms, paid, "cancelled by the rider");
    }

    fn driver_cancels(&mut self, confirmed_ms: i64, paid: &Paid) {
        let at_ms = self.order.departure_ms.max(confirmed_ms) + self.seconds(0, 600);
        let step = TripStep::Cancelled {
            by: Party::Driver,
            reason: "driver unavailable",
            was_started: false,
            partial_centi_km: None,
        };
        self.trip(at_ms, step);
        let cancelled_ms = at_ms + self.seconds(1, 5);
        self.cancel(
            cancelled_ms,
            Party::Driver,
            Some("driver unavailable"),
            true,
        );
        self.refund(cancelled_ms, paid, "cancelled by the driver");
    }

    fn cancel(&mut self, at_ms: i64, by: Party, reason: Option<&'static str>, refund: bool) {
        self.booking(at_ms, BookingStep::Cancelled { by, reason, refund });
    }

    fn refund(&mut self, after_ms: i64, paid: &Paid, reason: &'static str) {
        let at_ms = after_ms + self.seconds(20, 600);
        // A tenth of the fares stays with OpenRide when the rider is late to cancel.
        let refund = if self.dice.chance(0.1) {
            paid.amount - paid.amount / 10
        } else {
            paid.amount
        };
        let step = PaymentStep::Refunded {
            refund,
            original: paid.amount,
            reason,
        };
        self.payment(at_ms, paid.payment, paid.currency, step);
    }

    fn booking(&mut self, at_ms: i64, step: BookingStep) {
        let Order {
            rider,
            driver,
            route,
            ..
        } = *self.order;
        self.script.push((
            at_ms,
            Fact::Booking(BookingFact {
                booking: self.booking,
                rider,
                driver,
                route,
                step,
            }),
        ));
    }

    fn payment(&mut self, at_ms: i64, payment: Uuid, currency: &'static str, step: PaymentStep) {
        let fact = PaymentFact {
            payment,
            booking: self.booking,
            rider: self.order.rider,
            currency,
            step,
        };
        self.script.push((at_ms, Fact::Payment(fact)));
    }

    fn trip(&mut self, at_ms: i64, step: TripStep) {
        let Order {
            rider,
            driver,
            route,
            ..
        } = *self.order;
        let fact = TripFact {
            trip: self.trip,
            booking: self.booking,
            driver,
            rider,
            route,
            step,
        };
        self.script.push((at_ms, Fact::Trip(fact)));
    }

    fn last_ms(&self) -> i64 {
        self.script
            .last()
            .map_or(self.order.booked_ms, |(at_ms, _)| *at_ms)
    }

    /// A duration between two numbers of seconds, in milliseconds.
    fn seconds(&mut self, low: i64, high: i64) -> i64 {
        self.dice.between(low * SECOND_MS, high * SECOND_MS)
    }

    fn kilometres(&self) -> f64 {
        Geometry::kilometres(self.order.from, self.order.to).max(0.8)
    }
}
