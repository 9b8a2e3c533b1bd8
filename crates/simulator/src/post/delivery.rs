//! How an event travels from where it happens to Kafka.

use super::Terms;
use crate::dice::Dice;
use crate::event::{Fact, LogicalEvent};

const SECOND_MS: i64 = 1000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// How the events of one ride or account travel.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Delivery {
    /// When the first of them may arrive.
    not_before_ms: i64,
    /// How long before it arrives each of them happened.
    late_ms: i64,
    /// How much longer those of a topic take; the same for the whole ride, so that each entity stays in order.
    booking_lag_ms: i64,
    payment_lag_ms: i64,
    trip_lag_ms: i64,
}

impl Delivery {
    /// At once.
    pub(crate) fn prompt(not_before_ms: i64) -> Self {
        Self {
            not_before_ms,
            ..Self::default()
        }
    }

    /// As chance has it. A late ride happened as it did, but earlier than we hear of it.
    pub(crate) fn of_ride(terms: &Terms, booked_ms: i64, dice: &mut Dice) -> Self {
        let mut delivery = Self::prompt(booked_ms);
        if dice.chance(terms.disorder.late) {
            let most_ms = booked_ms - terms.opening_ms;
            let (low_ms, high_ms) = if dice.chance(0.7) {
                (HOUR_MS, DAY_MS)
            } else {
                (DAY_MS, 20 * DAY_MS)
            };
            delivery.late_ms = dice.between(low_ms.min(most_ms), high_ms.min(most_ms));
        }
        if dice.chance(terms.disorder.out_of_order) {
            let lag_ms = dice.between(5 * SECOND_MS, 15 * MINUTE_MS);
            match dice.below(3) {
                0 => delivery.booking_lag_ms = lag_ms,
                1 => delivery.payment_lag_ms = lag_ms,
                _ => delivery.trip_lag_ms = lag_ms,
            }
        }
        delivery
    }

    /// The true time of an event that seems to have happened at `happened_ms`.
    pub(super) const fn told_ms(&self, happened_ms: i64) -> i64 {
        happened_ms - self.late_ms
    }

    /// The event and its arrival.
    pub(super) fn carry(
        &self,
        terms: &Terms,
        happened_ms: i64,
        fact: Fact,
        dice: &mut Dice,
    ) -> (i64, LogicalEvent) {
        let lag_ms = match fact {
            Fact::Booking(_) => self.booking_lag_ms,
            Fact::Payment(_) => self.payment_lag_ms,
            Fact::Trip(_) => self.trip_lag_ms,
            Fact::User(_) | Fact::Route(_) | Fact::Location(_) => 0,
        };
        let id = (!dice.chance(terms.disorder.without_id)).then(|| dice.uuid());
        let skew_ms = if dice.chance(terms.disorder.skewed) {
            dice.between(6 * MINUTE_MS, 60 * MINUTE_MS)
        } else {
            0
        };
        let fact = self.shift(fact);
        let at_ms = self.told_ms(happened_ms) + skew_ms;
        let arrival_ms = (happened_ms + lag_ms).max(self.not_before_ms);
        // Whatever is still on its way when the story ends arrives then.
        (
            arrival_ms.min(terms.end_ms),
            LogicalEvent { at_ms, id, fact },
        )
    }

    /// The other times in a late event are as long ago as the event.
    fn shift(&self, mut fact: Fact) -> Fact {
        use crate::event::{BookingStep, TripStep};
        let late_ms = self.late_ms;
        match &mut fact {
            Fact::Booking(booking) => match &mut booking.step {
                BookingStep::Created {
                    scheduled_departure_ms,
                    ..
                } => *scheduled_departure_ms -= late_ms,
                BookingStep::Completed {
                    departure_ms,
                    arrival_ms,
                    ..
                } => {
                    *departure_ms -= late_ms;
                    *arrival_ms -= late_ms;
                }
                BookingStep::Confirmed { .. } | BookingStep::Cancelled { .. } => {}
            },
            Fact::Trip(trip) => match &mut trip.step {
                TripStep::Started {
                    scheduled_departure_ms,
                    departure_ms,
                    ..
                } => {
                    *scheduled_departure_ms -= late_ms;
                    *departure_ms -= late_ms;
                }
                TripStep::Completed {
                    departure_ms,
                    arrival_ms,
                    ..
                } => {
                    *departure_ms -= late_ms;
                    *arrival_ms -= late_ms;
                }
                TripStep::Cancelled { .. } => {}
            },
            Fact::User(_) | Fact::Payment(_) | Fact::Route(_) | Fact::Location(_) => {}
        }
        fact
    }
}
