use serde::{Deserialize, Serialize};
use shared_schema::Domain;

use super::{Breakdown, Matching, statement::People};
use crate::{cells::Cell, query::Parameters};

/// The people who reached a step of a funnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    matching: Matching,
    /// The first is 1.
    step: usize,
    /// Those with this value of the breakdown, and of a city with this state; all without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<(String, String)>,
}

impl Reached {
    pub(super) fn new(matching: &Matching, step: usize, part: Option<(String, String)>) -> Self {
        // who is not told apart is told apart by nothing
        let breakdown = matching.breakdown.filter(|_| part.is_some());
        let matching = Matching {
            breakdown,
            ..matching.clone()
        };
        Self {
            matching,
            step,
            part,
        }
    }

    /// The events that its list reads.
    pub(crate) fn domains(&self) -> Vec<Domain> {
        let registrations = self.tells_roles().then_some(Domain::User);
        let matched = self.matching.domains().into_iter();
        matched.chain(registrations).collect()
    }

    /// Whether it takes the first registrations of people.
    pub(crate) fn tells_roles(&self) -> bool {
        self.matching.breakdown == Some(Breakdown::Role)
    }
}

/// The person and the event that took the step: the rows that the funnel counts.
pub(crate) fn people(cell: &Cell, reached: &Reached, parameters: &mut Parameters) -> String {
    let people = People {
        matching: &reached.matching,
        anchors: cell.span(),
        region: &cell.region,
        pin: Some(&cell.pin),
        listed: Some(reached.step),
    };
    let people = people.rows(parameters);
    let part = match &reached.part {
        None => String::new(),
        Some((value, state)) => format!(
            "\nWHERE value = {} AND of_state = {}",
            parameters.text("value", value),
            parameters.text("of_state", state),
        ),
    };
    format!(
        "SELECT source.1 AS event_id, source.2 AS event_type, source.3 AS event_timestamp, person AS entity, source.4 AS state, \
         source.5 AS city, source.6 AS kafka_topic, source.7 AS kafka_partition, source.8 AS kafka_offset\n\
         FROM\n\
         (\n\
         {people}\n\
         ){part}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cells::{self, What},
        funnel::{DEFAULT_WINDOW, FunnelAnalysis, Order, Question, Steps, answer::FunnelRow},
        tests::{in_lagos_off_grid, opened, shown},
    };

    fn analysis(steps: &str, order: Order, breakdown: Breakdown, value: &str) -> FunnelAnalysis {
        let steps: Steps = steps.parse().unwrap();
        let asked = opened(in_lagos_off_grid());
        let question = Question::new(asked, steps, order, DEFAULT_WINDOW, Some(breakdown));
        let row = |is_part: u8, value: &str| FunnelRow {
            is_part,
            value: value.to_owned(),
            state: match breakdown {
                Breakdown::City => "Lagos".to_owned(),
                _ => String::new(),
            },
            ..FunnelRow::default()
        };
        question.assemble(vec![row(0, ""), row(1, value)])
    }

    /// What opens a number.
    fn cell(shown: &serde_json::Value, name: &str) -> Cell {
        let text = shown["cells"][name].as_str().unwrap();
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn every_step_is_listed_by_who_took_it_with_the_event() {
        let steps = "booking.created,payment.success";
        let by_role = analysis(steps, Order::Strict, Breakdown::Role, "RIDER");
        let funnel = serde_json::to_value(&by_role).unwrap();
        let cell = cell(&funnel["breakdown"][0]["funnel_steps"][1], "count");
        assert_eq!(cell.lasts(), crate::people::REPEATABLE);
        let list = shown(&cells::query(&cell, None, 100));
        insta::assert_snapshot!("second_of_a_role", list);

        let by_city = analysis(steps, Order::Unordered, Breakdown::City, "Ikeja");
        let funnel = serde_json::to_value(&by_city).unwrap();
        let part = &funnel["breakdown"][0];
        let entered = self::cell(part, "total_users_entered");
        assert_eq!(entered, self::cell(&part["funnel_steps"][0], "count"));
        let list = shown(&cells::query(&entered, None, 100));
        insta::assert_snapshot!("first_of_a_city", list);
    }

    #[test]
    fn all_people_are_told_apart_by_nothing() {
        let all = analysis("trip.started", Order::Ordered, Breakdown::Role, "RIDER");
        let cell = cell(
            &serde_json::to_value(&all).unwrap(),
            "total_users_converted",
        );
        assert_eq!(cell.lasts(), chrono::TimeDelta::MAX);
        let What::Reached(reached) = cell.what else {
            panic!("{cell:?}");
        };
        assert_eq!((reached.matching.breakdown, reached.step), (None, 1));
    }
}
