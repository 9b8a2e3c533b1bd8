//! `/analytics/funnel`
//!
//! ```text
//! stored events ─▶ (person, its events in order) ─statement─▶ the anchor that gets furthest, and when it took each step
//!                                                                           │ per value of the breakdown, and for all
//!                                                                           ▼
//!                                                       people at each step, median time from the step before
//! ```
//!
#![doc = include_str!("../../definitions/funnel.md")]

mod statement;

use std::{fmt, str::FromStr, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use shared_schema::{Domain, EventType};
use utoipa::ToSchema;

use crate::{
    ask::Ask,
    number::Hundredths,
    query::Query,
    region::RegionFilter,
    rule::Rule,
    selection::unsettled,
    time::{DateRange, Kept, TooOld},
};

/// Steps that a funnel may have.
pub const STEPS: std::ops::RangeInclusive<usize> = 1..=10;
/// The longest window: events are not stored for longer.
pub const LONGEST_WINDOW: Duration = Duration::from_secs(90 * 86_400);
/// The window where none is given.
pub const DEFAULT_WINDOW: Duration = Duration::from_secs(30 * 86_400);

/// The steps where none are given.
const DEFAULT_STEPS: [EventType; 5] = [
    EventType::UserRegistered,
    EventType::BookingCreated,
    EventType::PaymentInitiated,
    EventType::PaymentSuccess,
    EventType::TripCompleted,
];

/// How events at the same millisecond are ordered; those of one place by their ids.
const TIES: [&[EventType]; 13] = [
    &[EventType::UserRegistered],
    &[EventType::UserKycVerified],
    &[EventType::UserUpgradedToDriver],
    &[EventType::BookingCreated],
    &[EventType::PaymentInitiated],
    &[EventType::PaymentFailed],
    &[EventType::PaymentSuccess],
    &[EventType::BookingConfirmed],
    &[EventType::TripStarted],
    &[EventType::TripCompleted],
    &[EventType::BookingCompleted],
    &[EventType::BookingCancelled, EventType::TripCancelled],
    &[EventType::PaymentRefunded],
];

/// How the events of a person are matched with the steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// One step after the other; anything may happen in between.
    #[default]
    Ordered,
    /// One step after the other, and no other user, booking, payment or trip event of the person in between.
    Strict,
    /// In any order.
    Unordered,
}

/// What people are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Breakdown {
    /// The state of the anchor.
    State,
    /// The city of the anchor.
    City,
    /// The role at the first registration.
    Role,
    /// The method of the first payment that was matched with a step.
    PaymentMethod,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    range: DateRange,
    region: RegionFilter,
    steps: Vec<EventType>,
    order: Order,
    window: Duration,
    breakdown: Option<Breakdown>,
}

/// How many people got how far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FunnelAnalysis {
    /// Everyone.
    #[serde(flatten)]
    pub all: Funnel,
    /// The same people by what they were told apart by, the most first, ties by value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub breakdown: Option<Vec<Part>>,
    /// The rule that was applied.
    pub rule: FunnelRule,
}

/// How many of some people got how far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Funnel {
    /// The steps in their order.
    pub funnel_steps: Vec<Step>,
    /// People at the first step.
    pub total_users_entered: u64,
    /// People at the last step.
    pub total_users_converted: u64,
    /// The last step over the first, in percent.
    #[schema(required)]
    pub overall_conversion_rate: Option<Hundredths>,
}

/// People at one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Step {
    /// What happened, in words. Of `order=unordered`, how many of the steps.
    #[schema(example = "Booking Created")]
    pub step_name: String,
    /// The event that it is. With `order=unordered`, a step is any of those not taken yet.
    #[schema(example = "booking.created")]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub event_type: Option<&'static str>,
    /// 1 is the first.
    pub step_number: usize,
    /// People who got this far.
    pub count: u64,
    /// Over the first step, in percent.
    #[schema(required)]
    pub conversion_rate: Option<Hundredths>,
    /// The share of the people at the step before who did not get here, in percent; `null` at the first.
    #[schema(required)]
    pub drop_off_rate: Option<Hundredths>,
    /// The median of the times that those who got here took from the step before, interpolated linearly; `null` at the
    /// first, and where nobody got here.
    #[schema(required)]
    pub median_seconds_from_previous: Option<Hundredths>,
}

/// The people with one value of the breakdown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Part {
    /// The state, city, role or method; `unknown` where it is not known, `null` where no payment was matched.
    #[schema(required)]
    pub value: Option<String>,
    /// Of a city, its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub state: Option<String>,
    /// Those people.
    #[serde(flatten)]
    pub funnel: Funnel,
}

/// The rule that a funnel was made by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FunnelRule {
    /// Its name and what it says.
    #[serde(flatten)]
    pub rule: Rule,
    /// How events are matched with steps.
    pub order: Order,
    /// How long after its anchor a step may come, its end inclusive, in seconds.
    pub window_seconds: u64,
    /// How events at the same millisecond are ordered; types in one place, and events of one type, by `event_id`.
    #[schema(value_type = Vec<Vec<String>>)]
    pub tie_breaking: Vec<Vec<&'static str>>,
}

/// Everyone (not a part), or those with a value of the breakdown.
#[derive(Clone, Debug, Default, Row, Deserialize)]
struct FunnelRow {
    is_part: u8,
    value: String,
    state: String,
    /// People at each step.
    counts: Vec<u64>,
    /// Milliseconds from the step before, of each step but the first.
    medians: Vec<f64>,
}

/// Why a funnel cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepsError {
    /// A step is no type of event.
    #[error("there is no event type {0:?}")]
    Unknown(String),
    /// A step is a type of event that names no person.
    #[error("{0} names no rider or user")]
    Nobody(EventType),
    /// There are too few steps or too many.
    #[error("there are {0} of them")]
    Number(usize),
}

/// The steps of a funnel, as `booking.created,payment.success`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps(Vec<EventType>);

impl Default for Steps {
    fn default() -> Self {
        Self(DEFAULT_STEPS.to_vec())
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|kind| kind.as_str()).collect();
        f.write_str(&names.join(","))
    }
}

impl FromStr for Steps {
    type Err = StepsError;

    fn from_str(text: &str) -> Result<Self, StepsError> {
        let number = text.split(',').count();
        if !STEPS.contains(&number) {
            return Err(StepsError::Number(number));
        }
        let step = |name: &str| {
            let kind = EventType::parse(name)
                .ok_or_else(|| StepsError::Unknown(name.chars().take(100).collect()))?;
            match rank(kind) {
                Some(_) => Ok(kind),
                None => Err(StepsError::Nobody(kind)),
            }
        };
        text.split(',')
            .map(step)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// The types of event that can be steps.
#[must_use]
pub fn step_types() -> Vec<&'static str> {
    let kinds = TIES.iter().flat_map(|kinds| kinds.iter());
    kinds.map(|kind| kind.as_str()).collect()
}

/// The place of an event type among those at the same millisecond; none if it names no person.
fn rank(kind: EventType) -> Option<u8> {
    let place = TIES.iter().position(|kinds| kinds.contains(&kind))?;
    u8::try_from(place).ok()
}

impl Question {
    /// How the events that follow those of a range, in a region, match the steps.
    #[must_use]
    pub fn new(
        range: DateRange,
        region: RegionFilter,
        steps: Steps,
        order: Order,
        window: Duration,
        breakdown: Option<Breakdown>,
    ) -> Self {
        Self {
            range,
            region,
            steps: steps.0,
            order,
            window,
            breakdown,
        }
    }

    /// Checks that the events of the range are still stored.
    ///
    /// # Errors
    /// When it begins before them.
    pub fn check_kept(&self, now: DateTime<Utc>) -> Result<(), TooOld> {
        Kept::Events.check_start(&self.range, now)
    }

    /// Counts the facts whose region is not known yet, where that matters.
    #[must_use]
    pub fn unsettled_facts(&self) -> Option<Query> {
        let count = || unsettled(&self.domains(), self.range.start(), self.until());
        (self.by_region() || self.region.is_regional()).then(count)
    }

    /// Whether people are told apart by how they pay.
    fn by_method(&self) -> bool {
        self.breakdown == Some(Breakdown::PaymentMethod)
    }

    /// Whether people are told apart by where they are.
    fn by_region(&self) -> bool {
        matches!(self.breakdown, Some(Breakdown::State | Breakdown::City))
    }

    /// The instant after the last event that can matter.
    fn until(&self) -> DateTime<Utc> {
        let window = TimeDelta::from_std(self.window).unwrap_or(TimeDelta::zero());
        self.range.end() + window
    }

    /// Whose events can matter.
    fn domains(&self) -> Vec<Domain> {
        let persons = [Domain::User, Domain::Booking, Domain::Payment, Domain::Trip];
        let matters = |domain: &Domain| {
            self.order == Order::Strict || self.steps.iter().any(|step| step.domain() == *domain)
        };
        persons.into_iter().filter(matters).collect()
    }

    fn rule(&self) -> FunnelRule {
        let name = match self.order {
            Order::Ordered => "earliest-match/ordered/1",
            Order::Strict => "earliest-match/strict/1",
            Order::Unordered => "most-steps/unordered/1",
        };
        let text = include_str!("../../definitions/funnel.md");
        let names = |kinds: &&[EventType]| kinds.iter().map(|kind| kind.as_str()).collect();
        FunnelRule {
            rule: Rule::new(name, "/v1/definitions/funnel", text),
            order: self.order,
            window_seconds: self.window.as_secs(),
            tie_breaking: TIES.iter().map(names).collect(),
        }
    }

    fn assemble(&self, rows: Vec<FunnelRow>) -> FunnelAnalysis {
        let (parts, all): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.is_part == 1);
        let all = all.into_iter().next().unwrap_or_default();
        let mut parts: Vec<Part> = parts.into_iter().map(|row| self.part(row)).collect();
        parts.sort_by(|one, other| {
            let most = other
                .funnel
                .total_users_entered
                .cmp(&one.funnel.total_users_entered);
            most.then_with(|| (&one.value, &one.state).cmp(&(&other.value, &other.state)))
        });
        FunnelAnalysis {
            all: self.funnel(&all),
            breakdown: self.breakdown.map(|_| parts),
            rule: self.rule(),
        }
    }

    fn part(&self, row: FunnelRow) -> Part {
        let funnel = self.funnel(&row);
        Part {
            value: Some(row.value).filter(|value| !value.is_empty()),
            state: (self.breakdown == Some(Breakdown::City)).then_some(row.state),
            funnel,
        }
    }

    fn funnel(&self, row: &FunnelRow) -> Funnel {
        let at = |number: usize| row.counts.get(number).copied().unwrap_or_default();
        let entered = at(0);
        let step = |(number, kind): (usize, &EventType)| {
            let before = number.checked_sub(1);
            let median = before.and_then(|before| row.medians.get(before));
            Step {
                step_name: self.step_name(number, *kind),
                event_type: (self.order != Order::Unordered).then_some(kind.as_str()),
                step_number: number + 1,
                count: at(number),
                conversion_rate: Hundredths::percent(at(number), entered),
                drop_off_rate: before.and_then(|before| {
                    Hundredths::percent(at(before).saturating_sub(at(number)), at(before))
                }),
                median_seconds_from_previous: median.copied().and_then(Hundredths::of_thousandths),
            }
        };
        let converted = at(self.steps.len() - 1);
        Funnel {
            funnel_steps: self.steps.iter().enumerate().map(step).collect(),
            total_users_entered: entered,
            total_users_converted: converted,
            overall_conversion_rate: Hundredths::percent(converted, entered),
        }
    }

    fn step_name(&self, number: usize, kind: EventType) -> String {
        match self.order {
            Order::Unordered => format!("Any {} of {} steps", number + 1, self.steps.len()),
            _ => InWords(kind).to_string(),
        }
    }
}

/// An event type as people say it.
struct InWords(EventType);

impl fmt::Display for InWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            EventType::UserRegistered => "User Registration",
            EventType::UserKycVerified => "KYC Verification",
            EventType::UserUpgradedToDriver => "Upgrade to Driver",
            EventType::BookingCreated => "Booking Created",
            EventType::BookingConfirmed => "Booking Confirmed",
            EventType::BookingCancelled => "Booking Cancelled",
            EventType::BookingCompleted => "Booking Completed",
            EventType::PaymentInitiated => "Payment Initiated",
            EventType::PaymentSuccess => "Payment Success",
            EventType::PaymentFailed => "Payment Failed",
            EventType::PaymentRefunded => "Payment Refunded",
            EventType::TripStarted => "Trip Started",
            EventType::TripCompleted => "Trip Completed",
            EventType::TripCancelled => "Trip Cancelled",
            other => other.as_str(),
        })
    }
}

/// Asks how far people got.
///
/// # Errors
/// When the statement is not answered.
pub async fn ask<A: Ask>(store: &A, question: &Question) -> Result<FunnelAnalysis, A::Error> {
    let rows = store.rows("funnel", &question.query()).await?;
    Ok(question.assemble(rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, in_lagos_off_grid, shown};

    fn query(steps: &str, order: Order, breakdown: Option<Breakdown>, local: bool) -> String {
        let asked = match local {
            true => in_lagos_off_grid(),
            false => everywhere(false),
        };
        let steps = match steps {
            "" => Steps::default(),
            steps => steps.parse().unwrap(),
        };
        let question = Question::new(
            asked.range,
            asked.region,
            steps,
            order,
            DEFAULT_WINDOW,
            breakdown,
        );
        shown(&question.query())
    }

    #[test]
    fn each_step_takes_one_pass_over_the_events() {
        insta::assert_snapshot!("ordered", query("", Order::Ordered, None, false));
    }

    #[test]
    fn a_strict_funnel_reads_all_events_of_a_person() {
        let steps = "booking.created,payment.success";
        let by_method = Some(Breakdown::PaymentMethod);
        insta::assert_snapshot!("strict", query(steps, Order::Strict, by_method, true));
    }

    #[test]
    fn a_type_that_is_given_twice_needs_two_events() {
        let steps = "trip.started,booking.created,trip.started";
        let by_role = Some(Breakdown::Role);
        insta::assert_snapshot!("unordered", query(steps, Order::Unordered, by_role, false));
    }

    #[test]
    fn steps_are_types_of_events_that_name_a_person() {
        let parse = |text: &str| text.parse::<Steps>();
        assert!(parse("trip.started").is_ok());
        assert_eq!(parse(""), Err(StepsError::Unknown(String::new())));
        assert_eq!(
            parse("route.created"),
            Err(StepsError::Nobody(EventType::RouteCreated))
        );
        assert_eq!(
            parse(&["trip.started"; 11].join(",")),
            Err(StepsError::Number(11))
        );
    }

    #[test]
    fn every_type_that_names_a_rider_or_user_has_a_place_among_ties() {
        for kind in EventType::ALL {
            let names_a_person = !matches!(kind.domain(), Domain::Route | Domain::Location);
            assert_eq!(rank(*kind).is_some(), names_a_person, "{kind}");
        }
    }
}
