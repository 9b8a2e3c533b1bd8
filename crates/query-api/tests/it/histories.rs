//! Small random histories of many people, made to be difficult: events at the same millisecond, repeated registrations,
//! steps exactly at the end of a window, rides that change hands and regions, and times around local midnights.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use rand::{RngExt as _, SeedableRng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use service_runtime::clock::{Clock as _, SystemClock};
use shared_schema::Region;
use simulator::event::{
    BookingFact, BookingStep, Fact, LogicalEvent, Method, Party, PaymentFact, PaymentStep, Ping,
    Point, Registration, Role, RouteFact, RouteStep, TripFact, TripStep, UNKNOWN, UserFact,
    UserStep,
};
use uuid::Uuid;

use crate::story::Story;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What lies between two events: windows and grids are made of the same.
const GAPS: [i64; 14] = [
    0,
    0,
    0,
    1,
    999,
    MINUTE,
    15 * MINUTE - 1,
    15 * MINUTE,
    HOUR,
    2 * HOUR,
    DAY - 1,
    DAY,
    7 * DAY,
    30 * DAY,
];

/// Windows that some of those gaps end exactly on.
pub(crate) const WINDOWS: [i64; 6] = [1_000, 15 * MINUTE, HOUR, DAY, 8 * DAY, 30 * DAY];

/// Everything that a person can be matched with.
pub(crate) const KINDS: [&str; 14] = [
    "user.registered",
    "user.kyc_verified",
    "user.upgraded_to_driver",
    "booking.created",
    "booking.confirmed",
    "booking.cancelled",
    "booking.completed",
    "payment.initiated",
    "payment.success",
    "payment.failed",
    "payment.refunded",
    "trip.started",
    "trip.completed",
    "trip.cancelled",
];

/// A booking with all that belongs to it, of which some may never be told.
#[derive(Clone, Copy)]
struct Ride {
    booking: Uuid,
    payment: Uuid,
    trip: Uuid,
    route: Uuid,
    rider: Uuid,
    driver: Uuid,
    method: Method,
    pickup: Place,
}

#[derive(Clone, Copy)]
struct Place {
    region: Region,
    point: Point,
}

pub(crate) struct Histories {
    chance: ChaCha8Rng,
    start_ms: i64,
    end_ms: i64,
    places: Vec<Place>,
    routes: Vec<(Uuid, Place)>,
    events: Vec<LogicalEvent>,
}

impl Histories {
    /// The story of so many people over a time that ends now. All of it arrives at its end.
    pub(crate) fn told(seed: u64, people: usize, over: TimeDelta) -> Story {
        let end = SystemClock.now().trunc_subsecs(0);
        let start = end - over;
        let histories = Self::of(seed, people, start, end);
        println!("seed {seed}, {} events", histories.len());
        let arrival = end.timestamp_millis();
        let events = histories.into_iter().map(|event| (event, arrival));
        Story::told(events, start, end)
    }

    /// The histories of so many people between two instants.
    fn of(seed: u64, people: usize, start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<LogicalEvent> {
        let mut histories = Self {
            chance: ChaCha8Rng::seed_from_u64(seed),
            start_ms: start.timestamp_millis(),
            end_ms: end.timestamp_millis(),
            places: places(),
            routes: Vec::new(),
            events: Vec::new(),
        };
        histories.publish_routes();
        let people: Vec<Uuid> = (0..people).map(|_| histories.id()).collect();
        for person in &people {
            histories.live(*person, &people);
        }
        histories.events
    }

    fn id(&mut self) -> Uuid {
        Uuid::from_u128(self.chance.random())
    }

    fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        *things.choose(&mut self.chance).unwrap()
    }

    fn happens(&mut self, share: f64) -> bool {
        self.chance.random_bool(share)
    }

    fn publish_routes(&mut self) {
        for _ in 0..6 {
            let places = self.places.clone();
            let (route, driver, origin) = (self.id(), self.id(), self.one_of(&places));
            self.routes.push((route, origin));
            // Of some it is never told where they begin.
            if self.happens(0.7) {
                let step = RouteStep::Created {
                    origin: origin.region,
                    destination: origin.region,
                    stops: 3,
                    seats_total: 4,
                    base_price_kobo: 100_000,
                    departure_second: 28_800,
                    active_days: 0b111_1111,
                };
                let fact = RouteFact {
                    route,
                    driver,
                    name: Arc::from("a route"),
                    step,
                };
                self.tell(self.start_ms, Fact::Route(fact));
            }
        }
    }

    fn tell(&mut self, at_ms: i64, fact: Fact) {
        if (self.start_ms..self.end_ms).contains(&at_ms) {
            let id = Some(self.id());
            self.events.push(LogicalEvent { at_ms, id, fact });
        }
    }

    fn live(&mut self, person: Uuid, people: &[Uuid]) {
        let home = self.places.clone();
        let home = self.one_of(&home);
        let rides: Vec<Ride> = (0..3).map(|_| self.ride(person, people)).collect();
        let mut at_ms = self.chance.random_range(self.start_ms..self.end_ms);
        if self.happens(0.5) {
            // on the full hour, so that windows, quarters of an hour and days begin there
            at_ms -= at_ms.rem_euclid(HOUR);
        }
        for _ in 0..self.chance.random_range(1..=9) {
            let fact = self.something(person, home, &rides, at_ms);
            self.tell(at_ms, fact);
            at_ms += self.one_of(&GAPS);
        }
        // what comes last on the wire may have happened first
        let events = self.events.len();
        if events > 2 && self.happens(0.3) {
            self.events.swap(events - 1, events - 2);
        }
    }

    fn ride(&mut self, rider: Uuid, people: &[Uuid]) -> Ride {
        let (places, routes) = (self.places.clone(), self.routes.clone());
        let (route, _) = self.one_of(&routes);
        Ride {
            booking: self.id(),
            payment: self.id(),
            trip: self.id(),
            route,
            rider,
            driver: self.one_of(people),
            method: self.one_of(&[Method::Card, Method::Cash, Method::Ussd]),
            pickup: self.one_of(&places),
        }
    }

    fn something(&mut self, person: Uuid, home: Place, rides: &[Ride], at_ms: i64) -> Fact {
        let ride = self.one_of(rides);
        let user = |step| Fact::User(UserFact { user: person, step });
        match self.chance.random_range(0..22) {
            0..=3 => user(UserStep::Registered(self.registration(home))),
            4 => user(UserStep::KycDecided {
                verified: true,
                by: None,
            }),
            5 => user(UserStep::Upgraded),
            6..=8 => ride.booked(created(&ride, at_ms)),
            9 => ride.booked(BookingStep::Confirmed {
                seats: 1,
                total_price_kobo: 100_000,
                payment: ride.payment,
                code: 1,
            }),
            10 => ride.booked(BookingStep::Cancelled {
                by: Party::Rider,
                reason: None,
                refund: false,
            }),
            11 => ride.booked(BookingStep::Completed {
                trip: ride.trip,
                seats: 1,
                total_price_kobo: 100_000,
                departure_ms: at_ms - HOUR,
                arrival_ms: at_ms,
                duration_minutes: 60,
            }),
            12 => ride.paid(PaymentStep::Initiated {
                amount: 100_000,
                method: ride.method,
            }),
            13 | 14 => ride.paid(PaymentStep::Success {
                amount: self.chance.random_range(1..1_000_000),
                method: ride.method,
                processing_ms: 100,
                card_last4: None,
            }),
            15 => ride.paid(PaymentStep::Failed {
                amount: 100_000,
                method: ride.method,
                processing_ms: None,
                error: ("declined", "declined"),
            }),
            16 => ride.paid(PaymentStep::Refunded {
                refund: 100,
                original: 100_000,
                reason: "late",
            }),
            17 => ride.driven(TripStep::Started {
                scheduled_departure_ms: at_ms,
                departure_ms: at_ms,
                start: ride.pickup.point,
                passengers: 1,
            }),
            18 => ride.driven(TripStep::Completed {
                departure_ms: at_ms - HOUR,
                arrival_ms: at_ms,
                duration_minutes: 60,
                distance_centi_km: 1_000,
                end: ride.pickup.point,
                earnings_kobo: 80_000,
                commission_kobo: 20_000,
                on_time: true,
            }),
            19 => ride.driven(TripStep::Cancelled {
                by: Party::Driver,
                reason: "flat tyre",
                was_started: false,
                partial_centi_km: None,
            }),
            _ => self.ping(person),
        }
    }

    fn registration(&mut self, home: Place) -> Registration {
        let known = home.region != UNKNOWN;
        Registration {
            role: self.one_of(&[Role::Rider, Role::Rider, Role::Driver, Role::Admin]),
            phone: 8_012_345_678,
            name: None,
            has_email: false,
            state: known.then_some(home.region.state),
            city: known.then_some(home.region.city),
            region: home.region,
            referral: None,
        }
    }

    fn ping(&mut self, driver: Uuid) -> Fact {
        let places = self.places.clone();
        let place = self.one_of(&places);
        Fact::Location(Ping {
            driver,
            trip: None,
            at: place.point,
            speed_deci_kmh: None,
            bearing: None,
            accuracy_m: None,
            named: false,
            region: place.region,
        })
    }
}

impl Ride {
    fn booked(&self, step: BookingStep) -> Fact {
        Fact::Booking(BookingFact {
            booking: self.booking,
            rider: self.rider,
            driver: self.driver,
            route: self.route,
            step,
        })
    }

    fn paid(&self, step: PaymentStep) -> Fact {
        Fact::Payment(PaymentFact {
            payment: self.payment,
            booking: self.booking,
            rider: self.rider,
            currency: "NGN",
            step,
        })
    }

    fn driven(&self, step: TripStep) -> Fact {
        Fact::Trip(TripFact {
            trip: self.trip,
            booking: self.booking,
            driver: self.driver,
            rider: self.rider,
            route: self.route,
            step,
        })
    }
}

fn created(ride: &Ride, at_ms: i64) -> BookingStep {
    BookingStep::Created {
        seats: 1,
        total_price_kobo: 100_000,
        pickup_stop: Uuid::from_u128(1),
        dropoff_stop: Uuid::from_u128(2),
        pickup: ride.pickup.point,
        dropoff: ride.pickup.point,
        pickup_region: ride.pickup.region,
        scheduled_departure_ms: at_ms,
    }
}

/// Two cities of one state, one of another, and the sea.
fn places() -> Vec<Place> {
    let city = |state: &str, place: usize| {
        let mut cities = Region::cities().iter().filter(|city| city.state == state);
        let city = cities.nth(place).unwrap();
        let e6 = |degrees: f64| format!("{:.0}", degrees * 1e6).parse().unwrap();
        Place {
            region: city.region(),
            point: Point {
                lat_e6: e6(city.latitude),
                lon_e6: e6(city.longitude),
            },
        }
    };
    let sea = Place {
        region: UNKNOWN,
        point: Point::default(),
    };
    vec![city("Lagos", 0), city("Lagos", 1), city("Kano", 0), sea]
}
