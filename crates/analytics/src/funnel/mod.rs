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

mod answer;
mod chains;
mod list;
mod statement;
mod steps;

use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use shared_schema::{Domain, EventType};
use utoipa::ToSchema;

pub(crate) use self::list::people;
pub use self::{
    answer::{Funnel, FunnelAnalysis, FunnelRule, Part, Step},
    list::Reached,
    steps::{STEPS, Steps, StepsError, step_types},
};
use crate::{
    ask::Ask,
    payments::without_method,
    query::Query,
    selection::{Selection, unsettled},
    time::{Kept, TooOld},
};

/// The longest window: events are not stored for longer.
pub const LONGEST_WINDOW: Duration = Duration::from_secs(90 * 86_400);
/// The window where none is given.
pub const DEFAULT_WINDOW: Duration = Duration::from_secs(30 * 86_400);

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

/// What is matched, and how: a funnel but for its range and region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Matching {
    steps: Vec<EventType>,
    order: Order,
    window: Duration,
    breakdown: Option<Breakdown>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    selection: Selection,
    matching: Matching,
}

impl Question {
    /// How the events that follow those of a selection match the steps.
    #[must_use]
    pub fn new(
        selection: Selection,
        steps: Steps,
        order: Order,
        window: Duration,
        breakdown: Option<Breakdown>,
    ) -> Self {
        let steps = steps.into();
        let matching = Matching {
            steps,
            order,
            window,
            breakdown,
        };
        Self {
            selection,
            matching,
        }
    }

    /// Checks that the events of the range are still stored.
    ///
    /// # Errors
    /// When it begins before them.
    pub fn check_kept(&self) -> Result<(), TooOld> {
        Kept::Events.check_start(&self.selection.range, self.selection.now)
    }

    /// Counts the facts whose region, or of a refund its method, is not known yet, where that matters.
    #[must_use]
    pub fn unsettled_facts(&self) -> Option<Query> {
        let Selection { range, region, .. } = &self.selection;
        let (start, until) = (range.start(), range.end() + self.matching.window());
        match () {
            () if self.matching.by_region() || region.is_regional() => {
                Some(unsettled(&self.matching.domains(), start, until))
            }
            () if self.matching.by_method_of_refunds() => Some(without_method(start, until)),
            () => None,
        }
    }
}

impl Matching {
    /// Whether people are told apart by how they pay.
    fn by_method(&self) -> bool {
        self.breakdown == Some(Breakdown::PaymentMethod)
    }

    /// Whether that may be how they are paid back, which a refund does not say itself.
    fn by_method_of_refunds(&self) -> bool {
        self.by_method() && self.steps.contains(&EventType::PaymentRefunded)
    }

    /// Whether people are told apart by where they are.
    fn by_region(&self) -> bool {
        matches!(self.breakdown, Some(Breakdown::State | Breakdown::City))
    }

    /// How long after its anchor a step may come.
    fn window(&self) -> TimeDelta {
        TimeDelta::from_std(self.window).unwrap_or(TimeDelta::zero())
    }

    /// Whose events can matter.
    fn domains(&self) -> Vec<Domain> {
        let persons = [Domain::User, Domain::Booking, Domain::Payment, Domain::Trip];
        let matters = |domain: &Domain| {
            self.order == Order::Strict || self.steps.iter().any(|step| step.domain() == *domain)
        };
        persons.into_iter().filter(matters).collect()
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
        let question = Question::new(asked, steps, order, DEFAULT_WINDOW, breakdown);
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
}
