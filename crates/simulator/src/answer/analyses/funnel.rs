//! `/analytics/funnel`

use super::super::AnswerKey;
use super::super::exact::{Hundredths, percent, percentile_hundredfold, quotient};
use super::super::question::Question;
use super::super::rows::{BookingKind, Number, PaymentKind, TripKind, UserKind};
use crate::event::Method;
use serde::Serialize;
use shared_schema::Region;
use std::collections::BTreeMap;
use uuid::Uuid;

/// How the events of a person are matched with the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// One step after the other.
    Ordered,
    /// The same, and nothing in between.
    Strict,
    /// In any order.
    Unordered,
}

/// What people are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breakdown {
    /// The state of the anchor.
    State,
    /// The city of the anchor.
    City,
    /// The role at the first registration.
    Role,
    /// The method of the first matched payment.
    PaymentMethod,
}

/// A funnel.
#[derive(Debug, Clone)]
pub struct Funnel {
    /// The types of its steps.
    pub steps: Vec<&'static str>,
    /// How events are matched with them.
    pub order: Order,
    /// How long after the anchor a step may come, inclusive.
    pub window_ms: i64,
    /// What people are told apart by.
    pub breakdown: Option<Breakdown>,
}

/// How many got how far, all together and by part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunnelMetrics {
    /// All.
    #[serde(flatten)]
    pub all: FunnelPart,
    /// By what they are told apart by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breakdown: Option<Vec<FunnelPart>>,
}

/// How many got how far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct FunnelPart {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    pub funnel_steps: Vec<StepMetrics>,
    pub total_users_entered: u64,
    pub total_users_converted: u64,
    pub overall_conversion_rate: Option<Hundredths>,
}

/// People at a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct StepMetrics {
    pub step_number: usize,
    pub count: u64,
    pub conversion_rate: Option<Hundredths>,
    pub drop_off_rate: Option<Hundredths>,
    pub median_seconds_from_previous: Option<Hundredths>,
}

/// An event of a person.
#[derive(Debug, Clone, Copy)]
struct Event {
    at_ms: i64,
    kind: &'static str,
    id: Uuid,
    region: Region,
    method: Option<&'static str>,
}

/// In this order if they are at the same time.
const TIES: [&str; 14] = [
    "user.registered",
    "user.kyc_verified",
    "user.upgraded_to_driver",
    "booking.created",
    "payment.initiated",
    "payment.failed",
    "payment.success",
    "booking.confirmed",
    "trip.started",
    "trip.completed",
    "booking.completed",
    "booking.cancelled",
    "trip.cancelled",
    "payment.refunded",
];

impl Event {
    fn order(&self) -> (i64, usize, Uuid) {
        let kind = match self.kind {
            "trip.cancelled" => "booking.cancelled",
            kind => kind,
        };
        let rank = TIES.iter().position(|known| *known == kind);
        (self.at_ms, rank.unwrap_or(TIES.len()), self.id)
    }
}

impl Funnel {
    /// The events that are matched from an anchor on.
    fn matched<'a>(&self, events: &'a [Event], anchor: usize) -> Vec<&'a Event> {
        let Some((first, later)) = events.get(anchor..).and_then(<[Event]>::split_first) else {
            return Vec::new();
        };
        let in_time = |event: &&Event| event.at_ms <= first.at_ms + self.window_ms;
        let mut steps = self.steps.clone();
        if self.order == Order::Unordered {
            if !steps.contains(&first.kind) {
                return Vec::new();
            }
            let mut matched = Vec::new();
            for event in events.iter().skip(anchor).filter(in_time) {
                if let Some(step) = steps.iter().position(|step| *step == event.kind) {
                    steps.remove(step);
                    matched.push(event);
                }
            }
            return matched;
        }
        if steps.remove(0) != first.kind {
            return Vec::new();
        }
        let (mut matched, mut later) = (vec![first], later.iter());
        for step in steps {
            let next = match self.order {
                Order::Strict => later.next().filter(|event| event.kind == step),
                _ => later.find(|event| event.kind == step),
            };
            match next.filter(in_time) {
                Some(event) => matched.push(event),
                None => break,
            }
        }
        matched
    }

    /// The events of the anchor that gets furthest, the earliest of several.
    fn best<'a>(&self, events: &'a [Event], question: &Question) -> Vec<&'a Event> {
        let mut best = Vec::new();
        for (anchor, event) in events.iter().enumerate() {
            if question.range.contains(event.at_ms) {
                let matched = self.matched(events, anchor);
                if matched.len() > best.len() {
                    best = matched;
                }
            }
        }
        best
    }

    fn part(&self, people: &[Vec<&Event>]) -> FunnelPart {
        let count =
            |step: usize| people.iter().filter(|matched| matched.len() > step).count() as u64;
        let step = |step: usize| {
            let before = step.checked_sub(1);
            let mut times: Vec<i64> = people
                .iter()
                .filter_map(|matched| Some(matched.get(step)?.at_ms - matched.get(before?)?.at_ms))
                .collect();
            times.sort_unstable();
            let median = percentile_hundredfold(&times, 50);
            StepMetrics {
                step_number: step + 1,
                count: count(step),
                conversion_rate: percent(count(step), count(0)),
                drop_off_rate: before
                    .and_then(|before| percent(count(before) - count(step), count(before))),
                median_seconds_from_previous: median
                    .and_then(|hundredfold| quotient(hundredfold, 1_000))
                    .map(Hundredths),
            }
        };
        let last = self.steps.len() - 1;
        FunnelPart {
            value: None,
            state: None,
            funnel_steps: (0..self.steps.len()).map(step).collect(),
            total_users_entered: count(0),
            total_users_converted: count(last),
            overall_conversion_rate: percent(count(last), count(0)),
        }
    }
}

impl AnswerKey {
    /// How far people got along the steps of a funnel.
    #[must_use]
    pub fn funnel(&self, question: &Question, funnel: &Funnel) -> FunnelMetrics {
        let roles = self.joined(question);
        let mut all = Vec::new();
        let mut parts = BTreeMap::<(Option<String>, Option<String>), Vec<Vec<&Event>>>::new();
        let histories = self.histories(question);
        for (person, events) in &histories {
            let best = funnel.best(events, question);
            let Some(anchor) = best.first() else {
                continue;
            };
            let method = best.iter().find_map(|event| event.method);
            let role = roles
                .get(person)
                .map_or("unknown", |joined| joined.role.as_str());
            let (value, state) = match funnel.breakdown {
                None => (None, None),
                Some(Breakdown::State) => (Some(anchor.region.state), None),
                Some(Breakdown::City) => (Some(anchor.region.city), Some(anchor.region.state)),
                Some(Breakdown::Role) => (Some(role), None),
                Some(Breakdown::PaymentMethod) => (method, None),
            };
            let key = (value.map(str::to_owned), state.map(str::to_owned));
            parts.entry(key).or_default().push(best.clone());
            all.push(best);
        }
        let mut parts: Vec<FunnelPart> = parts
            .into_iter()
            .map(|((value, state), people)| FunnelPart {
                value: Some(value),
                state,
                ..funnel.part(&people)
            })
            .collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.total_users_entered));
        FunnelMetrics {
            all: funnel.part(&all),
            breakdown: funnel.breakdown.map(|_| parts),
        }
    }

    /// The user, booking, payment and trip events of each person in the question's regions, in order.
    fn histories(&self, question: &Question) -> BTreeMap<Number, Vec<Event>> {
        let mut histories = BTreeMap::<Number, Vec<Event>>::new();
        let mut add = |person,
                       region,
                       stamp: super::super::rows::Stamp,
                       kind,
                       method: Option<&'static str>| {
            if question.region.admits(region) {
                histories.entry(person).or_default().push(Event {
                    at_ms: stamp.at_ms,
                    kind,
                    id: stamp.id,
                    region,
                    method,
                });
            }
        };
        for row in &self.users {
            let kind = match row.kind {
                UserKind::Registered(_) => "user.registered",
                UserKind::Kyc { .. } => "user.kyc_verified",
                UserKind::Upgraded => "user.upgraded_to_driver",
            };
            add(row.user, self.user_region(row.user), row.stamp, kind, None);
        }
        for row in &self.bookings {
            let kind = match row.kind {
                BookingKind::Created => "booking.created",
                BookingKind::Confirmed { .. } => "booking.confirmed",
                BookingKind::Cancelled => "booking.cancelled",
                BookingKind::Completed => "booking.completed",
            };
            add(
                row.rider,
                self.ride_region(row.booking),
                row.stamp,
                kind,
                None,
            );
        }
        for row in &self.payments {
            let known = self
                .methods
                .get(super::super::numbering::place(row.payment));
            let known = known.copied().flatten().map_or("unknown", Method::as_str);
            let (kind, method) = match row.kind {
                PaymentKind::Initiated => ("payment.initiated", known),
                PaymentKind::Success { .. } => ("payment.success", known),
                PaymentKind::Failed => ("payment.failed", known),
                PaymentKind::Refunded { .. } => ("payment.refunded", known),
            };
            add(
                row.rider,
                self.ride_region(row.booking),
                row.stamp,
                kind,
                Some(method),
            );
        }
        for row in &self.trips {
            let kind = match row.kind {
                TripKind::Started { .. } => "trip.started",
                TripKind::Completed(_) => "trip.completed",
                TripKind::Cancelled => "trip.cancelled",
            };
            add(
                row.rider,
                self.ride_region(row.booking),
                row.stamp,
                kind,
                None,
            );
        }
        for events in histories.values_mut() {
            events.sort_by_key(Event::order);
        }
        histories
    }
}
