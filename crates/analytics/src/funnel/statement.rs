//! The statement. All events of a person stand in arrays, in order, and [chains](super::chains) beside them.

use shared_schema::{Domain, EventType};

use super::{Breakdown, Matching, Order, Question, steps::rank};
use crate::{
    people::{DROP_FIRST, registered},
    pin::Pin,
    query::{Parameters, Query},
    region::RegionFilter,
    source::{Slice, facts, settled_facts, settled_payments},
    time::{Span, clamped},
};

/// The people whose events are matched, and as of when.
pub(super) struct People<'q> {
    pub(super) matching: &'q Matching,
    /// When the events of the first step were.
    pub(super) anchors: Span,
    pub(super) region: &'q RegionFilter,
    pub(super) pin: Option<&'q Pin>,
    /// The step whose events are wanted too, and only the people who reached it; the first is 1. So counting carries
    /// no more along than it needs.
    pub(super) listed: Option<usize>,
}

impl Question {
    /// The statement; its rows are [`FunnelRow`](super::answer::FunnelRow)s.
    pub(super) fn query(&self) -> Query {
        let mut parameters = Parameters::default();
        let (selection, matching) = (&self.selection, &self.matching);
        let people = People {
            matching,
            anchors: selection.range.span(),
            region: &selection.region,
            pin: selection.pin(),
            listed: None,
        };
        let people = people.rows(&mut parameters);
        let steps = 1..=matching.steps.len();
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
        let grouped = match matching.breakdown {
            None => "",
            Some(_) => "\nGROUP BY GROUPING SETS ((), (value, of_state))",
        };
        let key = match matching.breakdown {
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
}

impl People<'_> {
    /// `person`, `reached` (how many steps), `times` (when each was taken), and `value` and `of_state`, by which people are
    /// told apart: one row for each who has an anchor. Where a step is listed, `source` is the event that took it.
    pub(super) fn rows(&self, parameters: &mut Parameters) -> String {
        let events = self.events(parameters);
        let matching = self.matching;
        let end = parameters.milliseconds("range_end", clamped(self.anchors.until));
        let window = u64::try_from(matching.window.as_millis()).unwrap_or(u64::MAX);
        let window = parameters.number("window", window);
        let furthest = match matching.order {
            Order::Ordered | Order::Strict => matching.in_order(&end, &window),
            Order::Unordered => matching.in_any_order(&end, &window),
        };
        let (carried, source) = match self.listed {
            None => ("", String::new()),
            Some(step) => (", source", format!(", events[taken[{step}]].8 AS source")),
        };
        let (value, state) = matching.told_apart();
        format!(
            "SELECT person, reached, times, {value} AS value, {state} AS of_state{source}\n\
             FROM\n\
             (\n\
             SELECT *, {furthest}\n\
             FROM\n\
             (\n\
             SELECT person, arraySort(groupArray((moment, rank, id, kind, method, state, city{carried}))) AS events, events.1 AS moments, \
             events.4 AS kinds, arrayEnumerate(events) AS places\n\
             FROM\n\
             (\n\
             {events}\n\
             )\n\
             GROUP BY person\n\
             )\n\
             WHERE reached >= {least}\n\
             ) AS anchored{roles}",
            least = self.listed.unwrap_or(1),
            roles = self.roles(parameters),
        )
    }

    /// The events that can matter, one row each.
    fn events(&self, parameters: &mut Parameters) -> String {
        let matching = self.matching;
        let slice = Slice::tail(Span {
            from: clamped(self.anchors.from),
            until: clamped(self.anchors.until + matching.window()),
        });
        let slice = slice.at(self.pin);
        let source = match self.listed {
            None => String::new(),
            Some(_) => format!(", {SOURCE} AS source"),
        };
        let parts = matching.domains().into_iter().map(|domain| {
            let (person, method) = match domain {
                Domain::User => ("user_id", "''"),
                Domain::Payment if matching.by_method() => (
                    "rider_id",
                    "ifNull(toString(payment_method), if(settled_method = '', 'unknown', toString(settled_method)))",
                ),
                _ => ("rider_id", "''"),
            };
            let kinds: Vec<EventType> = EventType::ALL
                .iter()
                .copied()
                .filter(|kind| kind.domain() == domain)
                .filter(|kind| matching.order == Order::Strict || matching.steps.contains(kind))
                .collect();
            let ranks: Vec<String> = kinds
                .iter()
                .filter_map(|kind| rank(*kind))
                .map(|rank| rank.to_string())
                .collect();
            let names: Vec<String> = kinds.iter().map(|kind| format!("'{kind}'")).collect();
            let codes: Vec<String> = kinds.iter().map(|kind| kind.code().to_string()).collect();
            let where_it_matters = |column: &str| match matching.breakdown {
                Some(Breakdown::State | Breakdown::City) => {
                    format!("if({column} = '', 'unknown', toString({column}))")
                }
                _ => "''".to_owned(),
            };
            format!(
                "SELECT {person} AS person, toUInt64(toUnixTimestamp64Milli(event_timestamp)) AS moment, \
                 toUInt8(event_type) AS kind, transform(kind, [{codes}], [{ranks}], toUInt8(255)) AS rank, UUIDToNum(event_id) AS id, \
                 {method} AS method, {of_state} AS state, {of_city} AS city{source}\n\
                 FROM (SELECT event_type, event_timestamp, event_id, {columns}, state AS in_state, city AS in_city{carried} FROM {facts} \
                 WHERE event_type IN ({names}) AND {regions})",
                codes = codes.join(", "),
                ranks = ranks.join(", "),
                names = names.join(", "),
                carried = self.listed.map_or("", |_| ", kafka_topic, kafka_partition, kafka_offset"),
                columns = match domain {
                    Domain::Payment if matching.by_method() => "rider_id, payment_method, settled_method",
                    _ => person,
                },
                of_state = where_it_matters("in_state"),
                of_city = where_it_matters("in_city"),
                facts = match domain {
                    // a refund does not say its method
                    Domain::Payment if matching.by_method() => settled_payments(slice, parameters),
                    _ if matching.by_region() || self.listed.is_some() => settled_facts(domain, slice, parameters),
                    _ => facts(domain, slice, self.region, parameters),
                },
                regions = self.region.own(parameters),
            )
        });
        parts.collect::<Vec<_>>().join("\nUNION ALL\n")
    }

    /// The roles of the people, where they are told apart by those.
    fn roles(&self, parameters: &mut Parameters) -> String {
        match self.matching.breakdown {
            Some(Breakdown::Role) => format!(
                "\nLEFT ANY JOIN\n(\n{}\n) AS roles USING (person)",
                registered("user_id AS person, role", self.region, self.pin, parameters)
            ),
            _ => String::new(),
        }
    }
}

impl Matching {
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
}

/// What a list tells of an event. It stands last in what events are ordered by, where it decides nothing but which of two
/// events is listed that are the same in all else.
const SOURCE: &str = "(event_id, toString(event_type), event_timestamp, toString(in_state), toString(in_city), \
     toString(kafka_topic), kafka_partition, kafka_offset)";
