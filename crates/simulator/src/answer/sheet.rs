//! All answers at once, for a file.

use super::{
    AnswerKey, BookingMetrics, DriverMetrics, PaymentMetrics, Question, RealtimeMetrics,
    RouteMetrics, TripMetrics, UserMetrics,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The metrics of the whole country, with series if the question asks for them, and of each state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sheet {
    /// The whole country.
    #[serde(flatten)]
    pub country: Answers,
    /// The hundred drivers that earned most.
    pub drivers: DriverMetrics,
    /// The fifty routes with the most bookings.
    pub routes: RouteMetrics,
    /// The tiles at the time of the question.
    pub realtime: RealtimeMetrics,
    /// Each state that an event names, `unknown` included.
    pub by_state: BTreeMap<&'static str, Answers>,
}

/// The metrics that add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answers {
    /// `/metrics/users`
    pub users: UserMetrics,
    /// `/metrics/bookings`
    pub bookings: BookingMetrics,
    /// `/metrics/payments`
    pub payments: PaymentMetrics,
    /// `/metrics/trips`
    pub trips: TripMetrics,
}

impl Answers {
    fn to(question: &Question, key: &AnswerKey) -> Self {
        Self {
            users: key.users(question),
            bookings: key.bookings(question),
            payments: key.payments(question),
            trips: key.trips(question),
        }
    }
}

impl Sheet {
    /// The answers of a key to a question.
    #[must_use]
    pub fn of(key: &AnswerKey, question: &Question) -> Self {
        let states: BTreeSet<&'static str> = key
            .regions()
            .iter()
            .map(|region| region.state)
            .chain(["unknown"])
            .collect();
        let of_state = |state| {
            let question = Question {
                granularity: None,
                ..question.clone().in_state(state)
            };
            (state, Answers::to(&question, key))
        };
        Self {
            country: Answers::to(question, key),
            drivers: key.drivers(question, 100),
            routes: key.routes(question, 50),
            realtime: key.realtime(question.now_ms, &question.region),
            by_state: states.into_iter().map(of_state).collect(),
        }
    }
}
