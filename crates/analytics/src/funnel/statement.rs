//! The statement. All events of a person stand in arrays, in order, and a *chain* is an array beside them: at the place of
//! an event of its first step, when that step and those after it were taken, and zeros elsewhere. A chain is made from
//! the one of the steps after it, moved to where the next event of its own step looks for it; so each step takes one pass
//! over the events, whatever the number of anchors.

use shared_schema::{Domain, EventType};

use super::{Breakdown, Order, Question, rank};
use crate::{
    people::{DROP_FIRST, registered},
    query::{Parameters, Query},
    source::{Slice, facts, settled_facts, settled_payments},
    time::{Span, clamped},
};

impl Question {
    /// The statement; its rows are [`FunnelRow`](super::FunnelRow)s.
    pub(super) fn query(&self) -> Query {
        let mut parameters = Parameters::default();
        let events = self.events(&mut parameters);
        let end = parameters.milliseconds("range_end", clamped(self.range.end()));
        let window = u64::try_from(self.window.as_millis()).unwrap_or(u64::MAX);
        let window = parameters.number("window", window);
        let furthest = match self.order {
            Order::Ordered | Order::Strict => self.in_order(&end, &window),
            Order::Unordered => self.in_any_order(&end, &window),
        };
        let (value, state) = self.told_apart();
        let people = format!(
            "SELECT person, reached, times, {value} AS value, {state} AS of_state\n\
             FROM\n\
             (\n\
             SELECT *, {furthest}\n\
             FROM\n\
             (\n\
             SELECT person, arraySort(groupArray((moment, rank, id, kind, method, state, city))) AS events, events.1 AS moments, \
             events.4 AS kinds, arrayEnumerate(events) AS places\n\
             FROM\n\
             (\n\
             {events}\n\
             )\n\
             GROUP BY person\n\
             )\n\
             WHERE reached > 0\n\
             ) AS anchored{roles}",
            roles = self.roles(&mut parameters),
        );
        let steps = 1..=self.steps.len();
        let counts: Vec<String> = steps
            .clone()
            .map(|step| format!("countIf(reached >= {step})"))
            .collect();
        let medians: Vec<String> = steps
            .skip(1)
            .map(|step| {
                format!(
                    "quantileExactInclusiveIf(0.5)(times[{step}] - times[{}], reached >= {step})",
                    step - 1
                )
            })
            .collect();
        let grouped = match self.breakdown {
            None => "",
            Some(_) => "\nGROUP BY GROUPING SETS ((), (value, of_state))",
        };
        let key = match self.breakdown {
            None => "toUInt8(0) AS is_part, '' AS value, '' AS state",
            Some(_) => "toUInt8(1 - grouping(value)) AS is_part, value, of_state AS state",
        };
        parameters.into_query(format!(
            "SELECT {key}, [{}] AS counts, CAST([{}], 'Array(Float64)') AS medians\n\
             FROM\n\
             (\n\
             {people}\n\
             ){grouped}\n\
             {DROP_FIRST}",
            counts.join(", "),
            medians.join(", "),
        ))
    }

    /// The events that can matter, one row each.
    fn events(&self, parameters: &mut Parameters) -> String {
        let slice = Slice::tail(Span {
            from: clamped(self.range.start()),
            until: clamped(self.until()),
        });
        let parts = self.domains().into_iter().map(|domain| {
            let (person, method) = match domain {
                Domain::User => ("user_id", "''"),
                Domain::Payment if self.by_method() => (
                    "rider_id",
                    "ifNull(toString(payment_method), if(settled_method = '', 'unknown', toString(settled_method)))",
                ),
                _ => ("rider_id", "''"),
            };
            let kinds: Vec<EventType> = EventType::ALL
                .iter()
                .copied()
                .filter(|kind| kind.domain() == domain)
                .filter(|kind| self.order == Order::Strict || self.steps.contains(kind))
                .collect();
            let ranks: Vec<String> = kinds
                .iter()
                .filter_map(|kind| rank(*kind))
                .map(|rank| rank.to_string())
                .collect();
            let names: Vec<String> = kinds.iter().map(|kind| format!("'{kind}'")).collect();
            let codes: Vec<String> = kinds.iter().map(|kind| kind.code().to_string()).collect();
            let where_it_matters = |column: &str| match self.breakdown {
                Some(Breakdown::State | Breakdown::City) => {
                    format!("if({column} = '', 'unknown', toString({column}))")
                }
                _ => "''".to_owned(),
            };
            format!(
                "SELECT {person} AS person, toUInt64(toUnixTimestamp64Milli(event_timestamp)) AS moment, \
                 toUInt8(event_type) AS kind, transform(kind, [{codes}], [{ranks}], toUInt8(255)) AS rank, UUIDToNum(event_id) AS id, \
                 {method} AS method, {of_state} AS state, {of_city} AS city\n\
                 FROM (SELECT event_type, event_timestamp, event_id, {columns}, state AS in_state, city AS in_city FROM {facts} \
                 WHERE event_type IN ({names}) AND {regions})",
                codes = codes.join(", "),
                ranks = ranks.join(", "),
                names = names.join(", "),
                columns = match domain {
                    Domain::Payment if self.by_method() => "rider_id, payment_method, settled_method",
                    _ => person,
                },
                of_state = where_it_matters("in_state"),
                of_city = where_it_matters("in_city"),
                facts = match domain {
                    // a refund does not say its method
                    Domain::Payment if self.by_method() => settled_payments(slice, parameters),
                    _ if self.by_region() => settled_facts(domain, slice, parameters),
                    _ => facts(domain, slice, &self.region, parameters),
                },
                regions = self.region.own(parameters),
            )
        });
        parts.collect::<Vec<_>>().join("\nUNION ALL\n")
    }

    /// `anchor` (its place), `reached` (how many steps), `times` (when each was taken) and `taken` (the places of their
    /// events) of the anchor that gets furthest.
    fn in_order(&self, end: &str, window: &str) -> String {
        let codes: Vec<u8> = self.steps.iter().map(|step| step.code()).collect();
        let mut columns = chain("c", &codes, self.order == Order::Ordered);
        let steps = codes.len();
        let within = |step: usize| {
            let moment = moment(step);
            format!("(way.{moment} != 0 AND way.{moment} <= way.1 + {window})")
        };
        let others: Vec<String> = (2..=steps)
            .map(|step| format!(" + {}", within(step)))
            .collect();
        columns.push(format!(
            "arrayMap(way -> toUInt8(if(way.1 = 0 OR way.1 >= {end}, 0, 1{})), c_1) AS reaches",
            others.concat()
        ));
        columns.extend([
            "arrayMax(reaches) AS reached".to_owned(),
            "indexOf(reaches, reached) AS anchor".to_owned(),
            "c_1[anchor] AS best".to_owned(),
        ]);
        let best = |element: fn(usize) -> usize| {
            let elements: Vec<String> = (1..=steps)
                .map(|step| format!("best.{}", element(step)))
                .collect();
            elements.join(", ")
        };
        columns.push(format!("[{}] AS times", best(moment)));
        columns.push(format!(
            "arraySlice([{}], 1, reached) AS taken",
            best(place)
        ));
        columns.join(", ")
    }

    /// The same of the anchor from which most steps are taken.
    fn in_any_order(&self, end: &str, window: &str) -> String {
        let mut kinds: Vec<(EventType, usize)> = Vec::new();
        for step in &self.steps {
            match kinds.iter_mut().find(|(kind, _)| kind == step) {
                Some((_, times)) => *times += 1,
                None => kinds.push((*step, 1)),
            }
        }
        let mut columns = Vec::new();
        let mut ways = Vec::new();
        for (number, (kind, times)) in kinds.iter().enumerate() {
            let name = format!("c{number}");
            columns.extend(chain(&name, &vec![kind.code(); *times], true));
            // from each event on, itself included
            columns.push(format!(
                "arrayPopBack(arrayReverseFill(way -> way.1 != 0, arrayPushBack({name}_1, {}))) AS {name}_on",
                nothing(*times)
            ));
            ways.push((name, *times));
        }
        let arguments: Vec<String> = ways.iter().map(|(name, _)| format!("w_{name}")).collect();
        let arrays: Vec<String> = ways.iter().map(|(name, _)| format!("{name}_on")).collect();
        let steps: Vec<String> = ways
            .iter()
            .flat_map(|(name, times)| {
                (1..=*times).map(move |step| {
                    format!("(w_{name}.{}, w_{name}.{})", moment(step), place(step))
                })
            })
            .collect();
        columns.push(format!(
            "arrayMap((start, {arguments}) -> arraySort(arrayFilter(step -> step.1 != 0 AND step.1 <= start + {window} AND start < {end}, \
             [{steps}])), moments, {arrays}) AS ways",
            arguments = arguments.join(", "),
            steps = steps.join(", "),
            arrays = arrays.join(", "),
        ));
        columns.extend(
            [
                "arrayMap(way -> toUInt8(length(way)), ways) AS reaches",
                "arrayMax(reaches) AS reached",
                "indexOf(reaches, reached) AS anchor",
                "ways[anchor].1 AS times",
                "ways[anchor].2 AS taken",
            ]
            .map(str::to_owned),
        );
        columns.join(", ")
    }

    /// What the people are told apart by, and of a city its state.
    fn told_apart(&self) -> (&'static str, &'static str) {
        match self.breakdown {
            None => ("''", "''"),
            Some(Breakdown::State) => ("events[anchor].6", "''"),
            Some(Breakdown::City) => ("events[anchor].7", "events[anchor].6"),
            Some(Breakdown::Role) => ("if(role = '', 'unknown', role)", "''"),
            Some(Breakdown::PaymentMethod) => (
                "arrayFirst(method -> method != '', arrayMap(step -> events[step].5, arraySort(taken)))",
                "''",
            ),
        }
    }

    /// The roles of the people, where they are told apart by those.
    fn roles(&self, parameters: &mut Parameters) -> String {
        match self.breakdown {
            Some(Breakdown::Role) => format!(
                "\nLEFT ANY JOIN\n(\n{}\n) AS roles USING (person)",
                registered("user_id AS person, role", &self.region, parameters)
            ),
            _ => String::new(),
        }
    }
}

/// The columns `{name}_1`, … of the chains of some steps and of those without the first, ….
///
/// An element of a chain has, for each of its steps, the moment and the place of the event that it takes. `may_wait` says
/// whether other events may lie between two of them.
fn chain(name: &str, codes: &[u8], may_wait: bool) -> Vec<String> {
    let mut columns = Vec::new();
    for (number, code) in codes.iter().enumerate().rev() {
        let (step, left) = (number + 1, codes.len() - number);
        let nothing = nothing(left);
        let later: Vec<String> = (1..=2 * (left - 1))
            .map(|element| format!(", later.{element}"))
            .collect();
        let (argument, array) = match left {
            1 => (String::new(), String::new()),
            _ => (", later".to_owned(), format!(", {name}_{}_later", step + 1)),
        };
        columns.push(format!(
            "arrayMap((kind, moment, place{argument}) -> if(kind = {code}, (moment, toUInt64(place){}), {nothing}), \
             kinds, moments, places{array}) AS {name}_{step}",
            later.concat()
        ));
        if number > 0 {
            let found = format!("arrayPushBack({name}_{step}, {nothing})");
            let found = match may_wait {
                true => format!("arrayReverseFill(way -> way.1 != 0, {found})"),
                false => found,
            };
            columns.push(format!("arrayPopFront({found}) AS {name}_{step}_later"));
        }
    }
    columns
}

/// The element of a chain of so many steps where it does not begin.
fn nothing(steps: usize) -> String {
    let zeros = vec!["toUInt64(0)"; 2 * steps];
    format!("({})", zeros.join(", "))
}

/// Where in an element of a chain the moment of a step is.
const fn moment(step: usize) -> usize {
    2 * step - 1
}

/// Where in an element of a chain the place of a step's event is.
const fn place(step: usize) -> usize {
    2 * step
}
