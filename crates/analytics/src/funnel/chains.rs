//! A *chain* is an array beside those of a person's events: at the place of an event of its first step, when that step and
//! those after it were taken, and zeros elsewhere. It is made from the chain of the steps after it, moved to where the next
//! event of its own step looks for it; so each step takes one pass over the events, whatever the number of anchors.

use shared_schema::EventType;

use super::{Matching, Order};

impl Matching {
    /// `anchor` (its place), `reached` (how many steps), `times` (when each was taken) and `taken` (the places of their
    /// events) of the anchor that gets furthest.
    pub(super) fn in_order(&self, end: &str, window: &str) -> String {
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
    pub(super) fn in_any_order(&self, end: &str, window: &str) -> String {
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
