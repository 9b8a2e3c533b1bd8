//! Short ways to write a history down. Everyone and everything is a small number, times are in Lagos.

use chrono::DateTime;
use chrono_tz::Tz;
use shared_schema::Region;
use simulator::answer::{AnswerKey, Question};
use simulator::event::{
    BookingFact, BookingStep, Fact, LogicalEvent, Method, Party, PaymentFact, PaymentStep, Ping,
    Point, Registration, Role, RouteFact, RouteStep, TripFact, TripStep, UserFact, UserStep,
};
use uuid::Uuid;

pub(super) const LAGOS: Tz = chrono_tz::Africa::Lagos;
pub(super) const IKEJA: Region = Region {
    state: "Lagos",
    city: "Ikeja",
};
pub(super) const LEKKI: Region = Region {
    state: "Lagos",
    city: "Lekki",
};
pub(super) const KANO: Region = Region {
    state: "Kano",
    city: "Kano",
};
pub(super) const NOWHERE: Region = Region::UNKNOWN;

/// `2024-03-04 07:00`, with seconds and milliseconds if need be, on the clock of Lagos.
pub(super) fn at(clock: &str) -> i64 {
    let (date, time) = clock.split_once(' ').unwrap();
    let seconds = if time.len() == 5 { ":00" } else { "" };
    let text = format!("{date}T{time}{seconds}+01:00");
    DateTime::parse_from_rfc3339(&text)
        .unwrap()
        .timestamp_millis()
}

/// Whole local days, both included.
pub(super) fn days(first: &str, last: &str) -> Question {
    let day_ms = 24 * 3600 * 1000;
    Question::over(
        at(&format!("{first} 00:00")),
        at(&format!("{last} 00:00")) + day_ms,
        LAGOS,
    )
}

pub(super) const fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A ride's ids: booking and payment and trip are 100, 200 and 300 more than the number.
#[derive(Clone, Copy)]
pub(super) struct Ride {
    pub(super) number: u128,
    pub(super) rider: u128,
    pub(super) driver: u128,
    pub(super) route: u128,
}

#[derive(Default)]
pub(super) struct History {
    pub(super) key: AnswerKey,
}

impl History {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn tell(&mut self, clock: &str, fact: Fact) -> &mut Self {
        let at_ms = at(clock);
        self.key.observe(
            &LogicalEvent {
                at_ms,
                id: None,
                fact,
            },
            at_ms,
        );
        self
    }

    /// Tells it to a platform whose clock shows `decided`.
    pub(super) fn tell_ahead(&mut self, clock: &str, decided: &str, fact: Fact) -> &mut Self {
        self.key.observe(
            &LogicalEvent {
                at_ms: at(clock),
                id: None,
                fact,
            },
            at(decided),
        );
        self
    }

    pub(super) fn registered(&mut self, clock: &str, user: u128, region: Region) -> &mut Self {
        let registration = Registration {
            role: Role::Rider,
            phone: 8_012_345_678,
            name: None,
            has_email: false,
            state: Some(region.state),
            city: Some(region.city),
            region,
            referral: None,
        };
        self.user(clock, user, UserStep::Registered(registration))
    }

    pub(super) fn checked(&mut self, clock: &str, user: u128, verified: bool) -> &mut Self {
        self.user(clock, user, UserStep::KycDecided { verified, by: None })
    }

    pub(super) fn upgraded(&mut self, clock: &str, user: u128) -> &mut Self {
        self.user(clock, user, UserStep::Upgraded)
    }

    fn user(&mut self, clock: &str, user: u128, step: UserStep) -> &mut Self {
        self.tell(
            clock,
            Fact::User(UserFact {
                user: id(user),
                step,
            }),
        )
    }

    pub(super) fn route(
        &mut self,
        clock: &str,
        route: u128,
        driver: u128,
        origin: Region,
        seats_total: u8,
    ) -> &mut Self {
        let step = RouteStep::Created {
            origin,
            destination: LEKKI,
            stops: 3,
            seats_total,
            base_price_kobo: 100_000,
            departure_second: 7 * 3600,
            active_days: 0b111_1111,
        };
        let name = format!("Route {route}").into();
        let fact = RouteFact {
            route: id(route),
            driver: id(driver),
            name,
            step,
        };
        self.tell(clock, Fact::Route(fact))
    }

    pub(super) fn pinged(&mut self, clock: &str, driver: u128, region: Region) -> &mut Self {
        self.tell(clock, ping(driver, region))
    }

    pub(super) fn created(
        &mut self,
        clock: &str,
        ride: Ride,
        pickup_region: Region,
        departure: &str,
        seats: u8,
    ) -> &mut Self {
        self.tell(clock, created(ride, pickup_region, departure, seats))
    }

    pub(super) fn confirmed(
        &mut self,
        clock: &str,
        ride: Ride,
        total_price_kobo: i64,
    ) -> &mut Self {
        let payment = id(ride.number + 200);
        self.booking(
            clock,
            ride,
            BookingStep::Confirmed {
                seats: 1,
                total_price_kobo,
                payment,
                code: 7,
            },
        )
    }

    pub(super) fn cancelled(&mut self, clock: &str, ride: Ride) -> &mut Self {
        self.booking(
            clock,
            ride,
            BookingStep::Cancelled {
                by: Party::Rider,
                reason: None,
                refund: false,
            },
        )
    }

    pub(super) fn completed(&mut self, clock: &str, ride: Ride) -> &mut Self {
        let step = BookingStep::Completed {
            trip: id(ride.number + 300),
            seats: 1,
            total_price_kobo: 0,
            departure_ms: at(clock),
            arrival_ms: at(clock),
            duration_minutes: 0,
        };
        self.booking(clock, ride, step)
    }

    fn booking(&mut self, clock: &str, ride: Ride, step: BookingStep) -> &mut Self {
        self.tell(clock, booking(ride, step))
    }

    pub(super) fn payment(
        &mut self,
        clock: &str,
        ride: Ride,
        currency: &'static str,
        step: PaymentStep,
    ) -> &mut Self {
        let fact = PaymentFact {
            payment: id(ride.number + 200),
            booking: id(ride.number + 100),
            rider: id(ride.rider),
            currency,
            step,
        };
        self.tell(clock, Fact::Payment(fact))
    }

    pub(super) fn initiated(&mut self, clock: &str, ride: Ride, method: Method) -> &mut Self {
        self.payment(
            clock,
            ride,
            "NGN",
            PaymentStep::Initiated { amount: 1, method },
        )
    }

    pub(super) fn paid(
        &mut self,
        clock: &str,
        ride: Ride,
        amount: i64,
        processing_ms: u32,
    ) -> &mut Self {
        let step = PaymentStep::Success {
            amount,
            method: Method::Card,
            processing_ms,
            card_last4: None,
        };
        self.payment(clock, ride, "NGN", step)
    }

    pub(super) fn started(&mut self, clock: &str, ride: Ride, scheduled: &str) -> &mut Self {
        self.tell(clock, started(ride, scheduled, clock))
    }

    pub(super) fn arrived(&mut self, clock: &str, ride: Ride, leg: Leg) -> &mut Self {
        let step = TripStep::Completed {
            departure_ms: at(clock),
            arrival_ms: at(clock),
            duration_minutes: leg.minutes,
            distance_centi_km: leg.centi_km,
            end: Point::default(),
            earnings_kobo: leg.earnings_kobo,
            commission_kobo: leg.earnings_kobo / 4,
            on_time: leg.on_time,
        };
        self.tell(clock, trip(ride, step))
    }

    pub(super) fn trip_cancelled(&mut self, clock: &str, ride: Ride) -> &mut Self {
        let step = TripStep::Cancelled {
            by: Party::Driver,
            reason: "breakdown",
            was_started: true,
            partial_centi_km: None,
        };
        self.tell(clock, trip(ride, step))
    }
}

/// What a completed trip amounts to.
#[derive(Clone, Copy)]
pub(super) struct Leg {
    pub(super) minutes: u32,
    pub(super) centi_km: u32,
    pub(super) earnings_kobo: i64,
    pub(super) on_time: bool,
}

pub(super) fn ping(driver: u128, region: Region) -> Fact {
    Fact::Location(Ping {
        driver: id(driver),
        trip: None,
        at: Point::default(),
        speed_deci_kmh: None,
        bearing: None,
        accuracy_m: None,
        named: true,
        region,
    })
}

pub(super) fn created(ride: Ride, pickup_region: Region, departure: &str, seats: u8) -> Fact {
    let step = BookingStep::Created {
        seats,
        total_price_kobo: 100_000,
        pickup_stop: id(1),
        dropoff_stop: id(2),
        pickup: Point::default(),
        dropoff: Point::default(),
        pickup_region,
        scheduled_departure_ms: at(departure),
    };
    booking(ride, step)
}

pub(super) fn started(ride: Ride, scheduled: &str, actual: &str) -> Fact {
    let step = TripStep::Started {
        scheduled_departure_ms: at(scheduled),
        departure_ms: at(actual),
        start: Point::default(),
        passengers: 1,
    };
    trip(ride, step)
}

fn booking(ride: Ride, step: BookingStep) -> Fact {
    Fact::Booking(BookingFact {
        booking: id(ride.number + 100),
        rider: id(ride.rider),
        driver: id(ride.driver),
        route: id(ride.route),
        step,
    })
}

fn trip(ride: Ride, step: TripStep) -> Fact {
    Fact::Trip(TripFact {
        trip: id(ride.number + 300),
        booking: id(ride.number + 100),
        driver: id(ride.driver),
        rider: id(ride.rider),
        route: id(ride.route),
        step,
    })
}

pub(super) const fn ride(number: u128) -> Ride {
    Ride {
        number,
        rider: 10 + number,
        driver: 50,
        route: 90,
    }
}
