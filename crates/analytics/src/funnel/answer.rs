use clickhouse::Row;
use serde::{Deserialize, Serialize};
use shared_schema::EventType;
use utoipa::ToSchema;

use super::{
    Breakdown, Order, Question, Reached,
    steps::{InWords, TIES},
};
use crate::{
    cells::{Cells, Counted, What, counted_as},
    number::Hundredths,
    rule::Rule,
};

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
    /// What opens the numbers of people, with `include_cells`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cells: Option<Cells>,
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
    /// What opens `count`, with `include_cells`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cells: Option<Cells>,
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
pub(super) struct FunnelRow {
    pub(super) is_part: u8,
    pub(super) value: String,
    pub(super) state: String,
    /// People at each step.
    pub(super) counts: Vec<u64>,
    /// Milliseconds from the step before, of each step but the first.
    pub(super) medians: Vec<f64>,
}

impl Question {
    fn rule(&self) -> FunnelRule {
        let name = match self.matching.order {
            Order::Ordered => "earliest-match/ordered/1",
            Order::Strict => "earliest-match/strict/1",
            Order::Unordered => "most-steps/unordered/1",
        };
        let text = include_str!("../../definitions/funnel.md");
        let names = |kinds: &&[EventType]| kinds.iter().map(|kind| kind.as_str()).collect();
        FunnelRule {
            rule: Rule::new(name, "/v1/definitions/funnel", text),
            order: self.matching.order,
            window_seconds: self.matching.window.as_secs(),
            tie_breaking: TIES.iter().map(names).collect(),
        }
    }

    pub(super) fn assemble(&self, rows: Vec<FunnelRow>) -> FunnelAnalysis {
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
            breakdown: self.matching.breakdown.map(|_| parts),
            rule: self.rule(),
        }
    }

    fn part(&self, row: FunnelRow) -> Part {
        let funnel = self.funnel(&row);
        Part {
            value: Some(row.value).filter(|value| !value.is_empty()),
            state: (self.matching.breakdown == Some(Breakdown::City)).then_some(row.state),
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
                event_type: (self.matching.order != Order::Unordered).then_some(kind.as_str()),
                step_number: number + 1,
                count: at(number),
                conversion_rate: Hundredths::percent(at(number), entered),
                drop_off_rate: before.and_then(|before| {
                    Hundredths::percent(at(before).saturating_sub(at(number)), at(before))
                }),
                median_seconds_from_previous: median.copied().and_then(Hundredths::of_thousandths),
                cells: self.cells(row, &[("count", number + 1)]),
            }
        };
        let last = self.matching.steps.len();
        let converted = at(last - 1);
        Funnel {
            funnel_steps: self.matching.steps.iter().enumerate().map(step).collect(),
            total_users_entered: entered,
            total_users_converted: converted,
            overall_conversion_rate: Hundredths::percent(converted, entered),
            cells: self.cells(
                row,
                &[("total_users_entered", 1), ("total_users_converted", last)],
            ),
        }
    }

    /// What opens the numbers of people of a row at some steps.
    fn cells(&self, row: &FunnelRow, names: &[(&'static str, usize)]) -> Option<Cells> {
        let part = (row.is_part == 1).then(|| (row.value.clone(), row.state.clone()));
        let counted = names.iter().map(|(name, step)| {
            let reached = Reached::new(&self.matching, *step, part.clone());
            counted_as(name, What::Reached(Box::new(reached)))
        });
        let counted: Vec<Counted> = counted.collect();
        self.selection.cells(&counted, &self.selection.whole())
    }

    fn step_name(&self, number: usize, kind: EventType) -> String {
        match self.matching.order {
            Order::Unordered => {
                format!("Any {} of {} steps", number + 1, self.matching.steps.len())
            }
            _ => InWords(kind).to_string(),
        }
    }
}
