//! From logical events to rows.

use super::AnswerKey;
use super::numbering::entry;
use super::rows::{
    BookingKind, BookingRow, Completion, NamedRoute, Number, PaymentKind, PaymentRow, PingRow,
    RouteCreated, RouteRow, Stamp, TripKind, TripRow, UserKind, UserRow,
};
use crate::event::{
    BookingFact, BookingStep, Fact, LogicalEvent, PaymentFact, PaymentStep, Ping, RouteFact,
    RouteStep, TripFact, TripStep, UNKNOWN, UserFact, UserStep,
};
use uuid::Uuid;

/// An event further in the future than this, when its batch is decided, is flagged `clock_skew`.
const CLOCK_SKEW_MS: i64 = 5 * 60 * 1000;

impl AnswerKey {
    /// Takes an accepted event into account. `decided_at_ms` is the time against which the platform judges its
    /// age: an event more than five minutes ahead of it stays out of the real-time tiles for good.
    pub fn observe(&mut self, event: &LogicalEvent, decided_at_ms: i64) {
        let stamp = Stamp {
            at_ms: event.at_ms,
            id: event.id.unwrap_or_default(),
            skewed: event.at_ms > decided_at_ms + CLOCK_SKEW_MS,
        };
        match &event.fact {
            Fact::User(fact) => self.observe_user(stamp, fact),
            Fact::Booking(fact) => self.observe_booking(stamp, fact),
            Fact::Payment(fact) => self.observe_payment(stamp, fact),
            Fact::Trip(fact) => self.observe_trip(stamp, fact),
            Fact::Route(fact) => self.observe_route(stamp, fact),
            Fact::Location(ping) => self.observe_ping(stamp, ping),
        }
    }

    fn observe_user(&mut self, stamp: Stamp, fact: &UserFact) {
        let user = self.user_ids.number(fact.user);
        let kind = match &fact.step {
            UserStep::Registered(registration) => {
                let home = self.regions.number(registration.region);
                if let Some(entry) = entry(&mut self.homes, user) {
                    *entry = Some(home);
                }
                UserKind::Registered(registration.role)
            }
            UserStep::KycDecided { verified, .. } => UserKind::Kyc {
                verified: *verified,
            },
            UserStep::Upgraded => UserKind::Upgraded,
        };
        self.users.push(UserRow { stamp, user, kind });
    }

    fn observe_booking(&mut self, stamp: Stamp, fact: &BookingFact) {
        let booking = self.booking_ids.number(fact.booking);
        let by_creation = matches!(fact.step, BookingStep::Created { .. });
        self.name_route(booking, fact.route, stamp, by_creation);
        self.note_step_of_ride(booking, &fact.step);
        let kind = match &fact.step {
            BookingStep::Created { .. } => BookingKind::Created,
            BookingStep::Confirmed {
                total_price_kobo, ..
            } => BookingKind::Confirmed {
                price_kobo: *total_price_kobo,
            },
            BookingStep::Cancelled { .. } => BookingKind::Cancelled,
            BookingStep::Completed { .. } => BookingKind::Completed,
        };
        let (rider, driver) = (
            self.user_ids.number(fact.rider),
            self.user_ids.number(fact.driver),
        );
        self.bookings.push(BookingRow {
            stamp,
            booking,
            rider,
            driver,
            kind,
        });
    }

    fn name_route(&mut self, booking: Number, id: Uuid, stamp: Stamp, by_creation: bool) {
        let named = NamedRoute {
            by_another_event: !by_creation,
            at_ms: stamp.at_ms,
            id,
            route: self.route_ids.number(id),
        };
        if let Some(ride) = entry(&mut self.rides, booking) {
            ride.name_route(named);
        }
    }

    fn note_step_of_ride(&mut self, booking: Number, step: &BookingStep) {
        let Some(ride) = entry(&mut self.rides, booking) else {
            return;
        };
        match step {
            BookingStep::Created {
                pickup_region,
                scheduled_departure_ms,
                seats,
                ..
            } => {
                ride.departure = Some((*scheduled_departure_ms, *seats));
                if *pickup_region != UNKNOWN {
                    ride.pickup = Some(self.regions.number(*pickup_region));
                }
            }
            BookingStep::Confirmed { .. } => ride.confirmed = true,
            BookingStep::Cancelled { .. } => ride.cancelled = true,
            BookingStep::Completed { .. } => {}
        }
    }

    fn observe_payment(&mut self, stamp: Stamp, fact: &PaymentFact) {
        let payment = self.payment_ids.number(fact.payment);
        let (kind, method) = match &fact.step {
            PaymentStep::Initiated { method, .. } => (PaymentKind::Initiated, Some(*method)),
            PaymentStep::Success {
                amount,
                method,
                processing_ms,
                ..
            } => (
                PaymentKind::Success {
                    amount: *amount,
                    processing_ms: *processing_ms,
                },
                Some(*method),
            ),
            PaymentStep::Failed { method, .. } => (PaymentKind::Failed, Some(*method)),
            PaymentStep::Refunded { refund, .. } => {
                (PaymentKind::Refunded { amount: *refund }, None)
            }
        };
        if let Some(entry) = entry(&mut self.methods, payment) {
            *entry = method.or(*entry);
        }
        let (booking, rider) = (
            self.booking_ids.number(fact.booking),
            self.user_ids.number(fact.rider),
        );
        self.payments.push(PaymentRow {
            stamp,
            payment,
            booking,
            rider,
            currency: fact.currency,
            kind,
        });
    }

    fn observe_trip(&mut self, stamp: Stamp, fact: &TripFact) {
        let booking = self.booking_ids.number(fact.booking);
        self.name_route(booking, fact.route, stamp, false);
        let (trip, rider) = (
            self.trip_ids.number(fact.trip),
            self.user_ids.number(fact.rider),
        );
        let driver = self.user_ids.number(fact.driver);
        self.trips.push(TripRow {
            stamp,
            trip,
            booking,
            rider,
            driver,
            kind: trip_kind(&fact.step),
        });
    }

    fn observe_route(&mut self, stamp: Stamp, fact: &RouteFact) {
        let route = self.route_ids.number(fact.route);
        let driver = self.user_ids.number(fact.driver);
        self.route_changes.push(RouteRow {
            stamp,
            route,
            driver,
        });
        let created = self.creation(driver, &fact.step);
        if let Some(entry) = entry(&mut self.routes, route) {
            entry.name = Some(fact.name.clone());
            entry.created = created.or(entry.created);
        }
    }

    fn creation(&mut self, driver: Number, step: &RouteStep) -> Option<RouteCreated> {
        let RouteStep::Created {
            origin,
            destination,
            seats_total,
            ..
        } = step
        else {
            return None;
        };
        let (origin, destination) = (
            self.regions.number(*origin),
            self.regions.number(*destination),
        );
        Some(RouteCreated {
            driver,
            origin,
            destination,
            seats_total: *seats_total,
        })
    }

    fn observe_ping(&mut self, stamp: Stamp, ping: &Ping) {
        let (driver, region) = (
            self.user_ids.number(ping.driver),
            self.regions.number(ping.region),
        );
        self.pings.push(PingRow {
            stamp,
            driver,
            region,
        });
    }
}

const fn trip_kind(step: &TripStep) -> TripKind {
    match step {
        TripStep::Started {
            scheduled_departure_ms,
            departure_ms,
            ..
        } => {
            let wait_ms = *departure_ms - *scheduled_departure_ms;
            TripKind::Started {
                wait_ms: if wait_ms > 0 { wait_ms } else { 0 },
            }
        }
        TripStep::Completed {
            duration_minutes,
            distance_centi_km,
            earnings_kobo,
            commission_kobo,
            on_time,
            ..
        } => TripKind::Completed(Completion {
            duration_minutes: *duration_minutes,
            distance_centi_km: *distance_centi_km,
            earnings_kobo: *earnings_kobo,
            commission_kobo: *commission_kobo,
            on_time: *on_time,
        }),
        TripStep::Cancelled { .. } => TripKind::Cancelled,
    }
}
